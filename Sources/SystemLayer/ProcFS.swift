// SPDX-License-Identifier: Apache-2.0
internal import SystemPackage

/// The files of /proc about the whole machine; `ProcessFiles` are those about one process.
public enum ProcFS {
    /// The ids of all processes.
    public static func processIDs() -> [UInt32] {
        guard var directory = Directory("/proc") else { return [] }
        var ids: [UInt32] = []
        while let entry = directory.next() {
            if let id = UInt32(entry.name.string) { ids.append(id) }
        }
        return ids
    }

    /// A file about the machine, e.g. `vmstat`; empty where it can't be read.
    public static func text(_ name: String) -> String { readText(FilePath("/proc/\(name)")) ?? "" }

    /// Seconds since 1970 when the machine was booted, by /proc/stat.
    public static func bootTime() -> Int64? {
        text("stat").split(separator: "\n").first { $0.hasPrefix("btime ") }.flatMap { Int64($0.dropFirst(6)) }
    }
}
