// SPDX-License-Identifier: Apache-2.0

/// One process' use of one file in one interval.
public struct CacheTopEntry: Hashable, Sendable {
    public let pid: UInt32
    public let uid: UInt32
    public let comm: String
    /// nil: which file is not known.
    public let file: CachedFile?
    public let fileState: CachedFileState
    public let cgroup: UInt64
    public let pages: PageCacheInterval

    public init(
        pid: UInt32, uid: UInt32, comm: String, file: CachedFile?, fileState: CachedFileState = [],
        cgroup: UInt64, pages: PageCacheInterval
    ) {
        self.pid = pid
        self.uid = uid
        self.comm = comm
        self.file = file
        self.fileState = fileState
        self.cgroup = cgroup
        self.pages = pages
    }
}

/// All entries of one interval, and their sum.
public struct CacheTopInterval: Sendable {
    public let entries: [CacheTopEntry]
    /// What found no room: in the sum, in no row.
    public let unattributed: PageCacheInterval

    public init(entries: [CacheTopEntry], unattributed: PageCacheInterval) {
        self.entries = entries
        self.unattributed = unattributed
    }

    public var total: PageCacheInterval {
        entries.reduce(into: unattributed) { $0 = $0 + $1.pages }
    }

    /// The rows of a view, not sorted.
    ///
    /// - Parameters:
    ///   - fileName: a file's path, or words in brackets.
    ///   - cgroupName: a cgroup's path.
    ///   - files: only these, by their names.
    public func rows(
        by view: CacheTopView, files: Glob? = nil, fileName: (CachedFile?, CachedFileState) -> String,
        cgroupName: (UInt64) -> String
    ) -> [CacheTopRow] {
        var groups: [GroupKey: (first: CacheTopEntry, pages: PageCacheInterval)] = [:]
        var wanted: [CachedFile?: Bool] = [:]
        // what a process did before its exec bears its old name
        var names: [UInt32: String] = [:]
        for entry in entries where entry.fileState.contains(.executed) { names[entry.pid] = entry.comm }
        for entry in entries where !entry.pages.isEmpty {
            if let files {
                let known =
                    wanted[entry.file] ?? files.matches(fileName(entry.file, entry.fileState))
                wanted[entry.file] = known
                guard known else { continue }
            }
            let key: GroupKey =
                switch view {
                case .process: .process(entry.pid)
                case .file: .file(entry.file)
                case .cgroup: .cgroup(entry.cgroup)
                }
            if let group = groups[key] {
                groups[key] = (group.first, group.pages + entry.pages)
            } else {
                groups[key] = (entry, entry.pages)
            }
        }
        return groups.values.map { first, pages in
            switch view {
            case .process:
                CacheTopRow(
                    view: view, pid: first.pid, uid: first.uid, comm: names[first.pid] ?? first.comm, pages: pages)
            case .file:
                CacheTopRow(
                    view: view, file: first.file, name: fileName(first.file, first.fileState),
                    pages: pages)
            case .cgroup:
                CacheTopRow(view: view, name: cgroupName(first.cgroup), pages: pages)
            }
        }
    }

    private enum GroupKey: Hashable {
        case process(UInt32)
        case file(CachedFile?)
        case cgroup(UInt64)
    }
}
