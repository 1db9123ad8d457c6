// SPDX-License-Identifier: Apache-2.0
internal import CUnwind
internal import Symbols
internal import Glibc

/// Code that a file's call-frame information says nothing of: what the Swift compiler makes by itself (metadata accessors,
/// value witnesses), assembly. Its frames follow from its instructions (CUnwind/code_rows.c), where these leave no doubt.
/// On arm64 it is the kernel's own code behind a signal handler (`SignalTrampoline`).
enum UnwindGaps {
    /// Fewer bytes can't call anything: they are padding.
    static let smallest: UInt64 = 10
    /// Bytes of one file that are looked at; the rest stays without rules.
    static let most = 1 << 23

    /// Rows by address, none of which overlaps `covered`, which is sorted by start.
    static func rows(
        _ file: borrowing ELFFile, _ image: ELFImage, between covered: UnsafeBufferPointer<unwind_row>
    ) -> [unwind_row] {
        guard image.machine == EM_X86_64 || image.machine == EM_AARCH64 else { return [] }
        let gaps = gaps(sections(file), between: covered)
        let total = gaps.reduce(0) { $0 + $1.size }
        let share = FileShare(file.share.reading, onDisk: file.onDisk)
        guard total > 0, share.take(total + total / 2 * MemoryLayout<unwind_row>.stride) else { return [] }
        // read together, for the disassembler wants all pieces at once
        let code = UnsafeMutableRawBufferPointer.allocate(byteCount: total, alignment: 16)
        defer { code.deallocate() }
        var pieces: [unwind_code] = []
        var filled = 0
        for gap in gaps {
            let room = UnsafeMutableRawBufferPointer(rebasing: code[filled..<(filled + gap.size)])
            let got = file.bytes.read(at: gap.fileOffset, into: room)
            guard got > 0, let start = room.baseAddress else { continue }
            pieces.append(
                unwind_code(bytes: start.assumingMemoryBound(to: UInt8.self), size: got, address: gap.address))
            filled += got
        }
        if image.machine == EM_AARCH64 { return pieces.flatMap { SignalTrampoline.rows(in: $0) } }
        return [unwind_row](unsafeUninitializedCapacity: total / 2 + 1) { rows, count in
            guard let to = rows.baseAddress else { return }
            // SAFETY: the pieces lie in `code`, which lives as long as the call; `rows` has room for its count.
            count = pieces.withUnsafeBufferPointer { all in
                all.baseAddress.map { unwind_code_rows($0, all.count, to, rows.count) } ?? 0
            }
        }
    }

    /// Code that no row covers.
    private struct Gap {
        let address: UInt64
        let fileOffset: UInt64
        let size: Int
    }

    private static func gaps(
        _ sections: [ELFFile.Section], between covered: UnsafeBufferPointer<unwind_row>
    ) -> [Gap] {
        var gaps: [Gap] = []
        var (total, index, position) = (0, 0, UInt64(0))
        for section in sections {
            let (start, length) = (section.address, section.size)
            guard start < 1 << 62, length < 1 << 40 else { continue }
            position = max(position, start)
            let end = start + length
            while position < end, total < most {
                while index < covered.count, covered[index].end <= position { index += 1 }
                let gapEnd = index < covered.count ? min(end, covered[index].start) : end
                if gapEnd > position, gapEnd - position >= smallest {
                    // only the beginning of a longer one is looked at
                    let size = Int(min(gapEnd - position, UInt64(UNWIND_LARGEST_CODE)))
                    let place = section.fileOffset &+ (position - start)
                    gaps.append(Gap(address: position, fileOffset: place, size: size))
                    total += size
                }
                position = max(gapEnd, index < covered.count ? min(end, covered[index].end) : end)
            }
        }
        return gaps
    }

    /// Sections of code, by address.
    private static func sections(_ file: borrowing ELFFile) -> [ELFFile.Section] {
        var sections: [ELFFile.Section] = []
        file.forEachSection { section in
            if section.isCode { sections.append(section) }
            return sections.count < 64
        }
        return sections.sorted { $0.address < $1.address }
    }
}
