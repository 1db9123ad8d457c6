// SPDX-License-Identifier: Apache-2.0

/// The per-CPU memory that is set aside at boot, before MemTotal is counted: the counter Percpu has it (mm/percpu.c,
/// `pcpu_setup_first_chunk`), by the kernel's word at boot.
public enum FirstPerCPUChunk {
    /// A record's number in the kernel's log; nil for what is no record of /dev/kmsg.
    public static func number(ofRecord record: String) -> UInt64? {
        let fields = record.prefix { $0 != ";" }.split(separator: ",")
        return fields.count >= 3 ? UInt64(fields[1]) : nil
    }

    /// - Parameters:
    ///   - record: `…;percpu: Embedded 61 pages/cpu s212992 r8192 d28672 u1048576`.
    ///   - possible: the file `possible` of /sys/devices/system/cpu: `0-3,8`.
    /// - Returns: nil for a record of something else.
    public static func bytes(record: String, possibleCPUs possible: String, pageBytes: Int) -> UInt64? {
        guard let semicolon = record.firstIndex(of: ";") else { return nil }
        let words = record[semicolon...].dropFirst().split(whereSeparator: \.isWhitespace)
        guard words.count > 3, words[0] == "percpu:", words[1] == "Embedded", words[3].hasPrefix("pages/cpu"),
            let pages = UInt64(words[2]), pages < 1 << 20, let cpus = count(possible)
        else { return nil }
        return pages * UInt64(pageBytes) * cpus
    }

    private static func count(_ ranges: String) -> UInt64? {
        var count: UInt64 = 0
        for range in ranges.split(separator: ",") {
            let ends = range.split(separator: "-", omittingEmptySubsequences: false).map { UInt64($0) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first <= last,
                last < 1 << 16
            else { return nil }
            count += last - first + 1
        }
        return count > 0 ? count : nil
    }
}
