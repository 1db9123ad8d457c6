// SPDX-License-Identifier: Apache-2.0

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
        // what CMD's column is headed in the other views
        if ["FILE", "CGROUP"].contains(wanted) {
            self = .cmd
            return
        }
        guard
            let column = Self.allCases.first(where: {
                $0.rawValue == wanted || $0.rawValue == wanted + "%"
            })
        else { return nil }
        self = column
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
            if a.key != b.key { return (a.key < b.key) != descending }
            let (first, second) = (a.row, b.row)
            return (second.pages.activity, first.name ?? "", first.pid ?? 0)
                < (first.pages.activity, second.name ?? "", second.pid ?? 0)
        }.map(\.row)
    }

    private struct Key: Comparable {
        var number: Double = 0
        var text = ""
        static func < (a: Self, b: Self) -> Bool {
            (a.number, a.text) < (b.number, b.text)
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
        case .readHit: Key(number: pages.hitRatio ?? -.infinity)
        case .writeHit: Key(number: pages.writeHitRatio ?? -.infinity)
        }
    }
}
