// SPDX-License-Identifier: Apache-2.0

/// One process' use of one file in one interval.
public struct CacheTopEntry: Hashable, Sendable {
    public let pid: UInt32
    public let uid: UInt32
    public let comm: String
    /// nil: which file is not known.
    public let file: FileIdentity?
    public let fileState: FileState
    public let cgroup: UInt64
    public let pages: PageCacheInterval

    public init(
        pid: UInt32, uid: UInt32, comm: String, file: FileIdentity?, fileState: FileState = [],
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

/// What cachetop's rows are of.
public enum CacheTopView: String, CaseIterable, Sendable {
    case process, file, cgroup
}

/// One row: a process, a file or a cgroup.
public struct CacheTopRow: Hashable, Sendable {
    public let view: CacheTopView
    /// Of the process; nil in other views.
    public let pid: UInt32?
    public let uid: UInt32?
    public let comm: String?
    /// Of the file; nil in other views and where it is not known.
    public let file: FileIdentity?
    /// The file's path, or what is known instead in brackets; the cgroup's path.
    public let name: String?
    public let pages: PageCacheInterval

    public init(
        view: CacheTopView, pid: UInt32? = nil, uid: UInt32? = nil, comm: String? = nil,
        file: FileIdentity? = nil, name: String? = nil, pages: PageCacheInterval
    ) {
        self.view = view
        self.pid = pid
        self.uid = uid
        self.comm = comm
        self.file = file
        self.name = name
        self.pages = pages
    }
}

/// cachetop's columns, in the order that `<` and `>` go through.
public enum CacheTopColumn: String, CaseIterable, Sendable {
    case pid = "PID"
    case uid = "UID"
    case cmd = "CMD"
    case hits = "HITS"
    case misses = "MISSES"
    case dirties = "DIRTIES"
    case readHit = "READ_HIT%"
    case writeHit = "WRITE_HIT%"

    /// By its heading, however it is spelt: `read_hit%`, `READ_HIT`, `hits`.
    public init?(_ text: String) {
        let wanted = text.uppercased()
        guard
            let column = Self.allCases.first(where: {
                $0.rawValue == wanted || $0.rawValue == wanted + "%"
            })
        else { return nil }
        self = column
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
        by view: CacheTopView, files: Glob? = nil, fileName: (FileIdentity?, FileState) -> String,
        cgroupName: (UInt64) -> String
    ) -> [CacheTopRow] {
        var groups: [GroupKey: (first: CacheTopEntry, pages: PageCacheInterval)] = [:]
        var wanted: [FileIdentity?: Bool] = [:]
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
                    view: view, pid: first.pid, uid: first.uid, comm: first.comm, pages: pages)
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
        case file(FileIdentity?)
        case cgroup(UInt64)
    }
}

/// An order of rows. Rows that are alike in the column go by their accesses, then by name.
public struct CacheTopOrder: Hashable, Sendable {
    public var column: CacheTopColumn
    public var descending: Bool

    public init(column: CacheTopColumn = .hits, descending: Bool = true) {
        self.column = column
        self.descending = descending
    }

    public var words: String { descending ? "descending" : "ascending" }

    public func sorted(_ rows: [CacheTopRow], userName: (UInt32) -> String) -> [CacheTopRow] {
        let keyed = rows.map { (row: $0, key: key($0, userName)) }
        return keyed.sorted { a, b in
            if a.key != b.key { return descending ? b.key < a.key : a.key < b.key }
            if a.row.pages.activity != b.row.pages.activity {
                return a.row.pages.activity > b.row.pages.activity
            }
            if a.row.name != b.row.name { return a.row.name ?? "" < b.row.name ?? "" }
            return a.row.pid ?? 0 < b.row.pid ?? 0
        }.map(\.row)
    }

    private struct Key: Comparable {
        var number: Double = 0
        var text = ""
        static func < (a: Self, b: Self) -> Bool {
            a.number != b.number ? a.number < b.number : a.text < b.text
        }
    }

    private func key(_ row: CacheTopRow, _ userName: (UInt32) -> String) -> Key {
        let pages = row.pages
        return switch column {
        case .pid: Key(number: Double(row.pid ?? 0))
        case .uid: Key(text: row.uid.map(userName) ?? "")
        case .cmd: Key(text: row.comm ?? row.name ?? "")
        case .hits: Key(number: Double(pages.hitPages))
        case .misses: Key(number: Double(pages.missPages))
        case .dirties: Key(number: Double(pages.dirtyPages))
        // what has no ratio goes below 0 %
        case .readHit: Key(number: pages.hitRatio ?? -1)
        case .writeHit: Key(number: pages.writeHitRatio ?? -1)
        }
    }
}
