// SPDX-License-Identifier: Apache-2.0

/// What memory a cgroup and those below it are charged for, in bytes; nil where its files do not tell.
public struct CgroupMemory: Hashable, Sendable {
    public var path: CgroupPath
    public var currentBytes: UInt64?
    /// nil: no limit, or not known.
    public var maxBytes: UInt64?
    public var highBytes: UInt64?
    public var anonBytes: UInt64?
    /// Its part of the page cache, shared memory not.
    public var fileBytes: UInt64?
    public var activeFileBytes: UInt64?
    public var inactiveFileBytes: UInt64?
    public var shmemBytes: UInt64?
    public var slabBytes: UInt64?
    public var sockBytes: UInt64?
    public var percpuBytes: UInt64?
    /// Removed cgroups below it that still hold memory; nil: the kernel does not say.
    public var dying: UInt64?

    private static let unifiedNames: Set<String> = [
        "anon", "file", "shmem", "active_file", "inactive_file", "slab", "sock", "percpu",
    ]
    private static let legacyNames: Set<String> = [
        "total_rss", "total_cache", "total_shmem", "total_active_file", "total_inactive_file",
    ]

    /// - Parameters:
    ///   - unified: cgroup v2's files, else v1's.
    ///   - file: the text of one of its files; nil where it can't be read.
    public init(path: CgroupPath, unified: Bool, file: (String) -> [UInt8]?) {
        self.path = path
        func number(_ name: String) -> UInt64? {
            file(name).flatMap { text in decimal(text.prefix { $0 != UInt8(ascii: "\n") }) }
        }
        let stat = file("memory.stat").map {
            NamedNumbers($0, names: unified ? Self.unifiedNames : Self.legacyNames)
        }
        let prefix = unified ? "" : "total_"
        shmemBytes = stat?[prefix + "shmem"]
        activeFileBytes = stat?[prefix + "active_file"]
        inactiveFileBytes = stat?[prefix + "inactive_file"]
        anonBytes = stat?[unified ? "anon" : "total_rss"]
        // both count shared memory as files
        fileBytes = stat?[unified ? "file" : "total_cache"].map { $0 - min($0, stat?[prefix + "shmem"] ?? 0) }
        if unified {
            currentBytes = number("memory.current")
            // "max": no number
            maxBytes = number("memory.max")
            highBytes = number("memory.high")
            (slabBytes, sockBytes, percpuBytes) = (stat?["slab"], stat?["sock"], stat?["percpu"])
            dying = file("cgroup.stat").flatMap {
                NamedNumbers($0, names: ["nr_dying_descendants"])["nr_dying_descendants"]
            }
        } else {
            currentBytes = number("memory.usage_in_bytes")
            // the largest number of pages that the kernel counts with
            maxBytes = number("memory.limit_in_bytes").flatMap { $0 >= 1 << 62 ? nil : $0 }
        }
    }
}
