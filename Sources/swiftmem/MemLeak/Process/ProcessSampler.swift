// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Symbols
internal import SystemLayer
internal import SystemPackage

/// A block that the sampler in a process holds for alive.
struct SampledBlock: Hashable {
    let address: UInt64
    /// Bytes that were asked for.
    let bytes: UInt64
    /// CLOCK_MONOTONIC, nanoseconds.
    let time: UInt64
    /// The return address of the call that allocated it.
    let caller: UInt64
}

/// The sampler in a process (Sampler/state.h), as its memory tells. The process may write anything there: what is read
/// is bounded, and believed for that process alone.
struct ProcessSampler {
    /// Bytes between two samples, on average.
    let distance: UInt64
    private let pid: UInt32
    private let slots: Int
    private let addresses: UInt64
    private let blockTable: UInt64

    /// Is it a file of this name that is mapped?
    static func isSampler(_ path: String) -> Bool {
        path.split(separator: "/").last?.hasPrefix("libswiftmem-sampler.so") ?? false
    }

    /// nil: there is none in it, or one that takes no samples.
    init?(of pid: UInt32) {
        guard let maps = try? ProcessMaps(pid: Int32(pid)) else { return nil }
        let data = maps.mappings.filter {
            $0.isWritable && $0.kind == .file && Self.isSampler($0.path.description)
        }
        for mapping in data.prefix(8) {
            let count = Int(min(mapping.end - mapping.start, 1 << 16))
            guard let words = Self.words(of: pid, at: mapping.start, count: count / 8) else { continue }
            // magic, version and slots, distance, addresses, blocks
            guard let index = words.firstIndex(of: 0x7265_6c70_6d61_7331), words.count - index >= 5,
                words[index + 1] & 0xffff_ffff == 1
            else { continue }
            let slots = words[index + 1] >> 32
            guard slots > 0, slots <= 1 << 20, (1...(1 << 40)).contains(words[index + 2]) else { continue }
            self.pid = pid
            self.slots = Int(slots)
            distance = words[index + 2]
            addresses = words[index + 3]
            blockTable = words[index + 4]
            return
        }
        return nil
    }

    /// What it holds for alive; empty where it can't be read.
    func blocks() -> [SampledBlock] {
        guard let addresses = Self.words(of: pid, at: addresses, count: slots),
            let fields = Self.words(of: pid, at: blockTable, count: slots * 4),
            // a slot that was being filled has its address by now, or is left out
            let again = Self.words(of: pid, at: self.addresses, count: slots)
        else { return [] }
        var blocks: [SampledBlock] = []
        for slot in 0..<slots where addresses[slot] > 1 && addresses[slot] == again[slot] {
            blocks.append(
                SampledBlock(
                    address: addresses[slot], bytes: fields[slot * 4], time: fields[slot * 4 + 2],
                    caller: fields[slot * 4 + 3]))
        }
        return blocks
    }

    private static func words(of pid: UInt32, at address: UInt64, count: Int) -> [UInt64]? {
        guard count > 0, address < 1 << 63,
            let bytes = try? OpenFile(reading: ProcessFiles(pid).path("mem")).read(at: address, count: count * 8),
            bytes.count == count * 8
        else { return nil }
        return bytes.withUnsafeBytes { raw in
            (0..<count).map { raw.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self) }
        }
    }
}
