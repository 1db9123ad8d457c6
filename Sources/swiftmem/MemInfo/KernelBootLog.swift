// SPDX-License-Identifier: Apache-2.0
internal import Reports
internal import SystemLayer
internal import SystemPackage

/// What the kernel said when it booted, as long as its log has it and this process may read it.
enum KernelBootLog {
    /// The part of the per-CPU memory that the kernel set aside before it counted its memory; nil: not known.
    static func firstPerCPUBytes() -> UInt64? {
        guard let log = try? OpenFile(reading: "/dev/kmsg"),
            let possible = readOneLine("/sys/devices/system/cpu/possible")
        else { return nil }
        var buffer = [UInt8](repeating: 0, count: 8192)
        // one record a read; what is looked for is among the first hundreds
        for _ in 0..<1000 {
            guard let got = try? log.read(into: &buffer, from: 0), got > 0 else { return nil }
            let record = String(decoding: buffer.prefix(got), as: UTF8.self)
            guard let number = FirstPerCPUChunk.number(ofRecord: record), number < 1000 else { return nil }
            if let bytes = FirstPerCPUChunk.bytes(record: record, possibleCPUs: possible, pageBytes: pageBytes) {
                return bytes
            }
        }
        return nil
    }
}
