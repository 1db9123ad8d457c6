// SPDX-License-Identifier: Apache-2.0

/// cachetop's text, with bcc's columns and widths in the view by process.
public enum CacheTopText {
    /// bcc's first line.
    public static func title(_ report: CacheTopReport) -> String {
        func megabytes(_ bytes: UInt64?) -> String {
            bytes.map { String($0 / 1_048_576) } ?? "?"
        }
        return "\(report.time.clockTime) Buffers MB: \(megabytes(report.memory.buffersBytes))"
            + " / Cached MB: \(megabytes(report.memory.cachedBytes))"
            + " / Sort: \(report.order.column.rawValue) / Order: \(report.order.words)"
    }

    /// Has a screen of so many columns room for a file's device and inode beside the end of its path?
    static func showsInode(_ width: Int?) -> Bool { width.map { $0 >= 120 } ?? true }

    /// - Parameter width: of a screen, where what matters least is left out; nil: all columns.
    public static func header(_ view: CacheTopView, width: Int? = nil) -> String {
        let pages =
            "HITS".left(8) + " " + "MISSES".left(8) + " " + "DIRTIES".left(8) + " "
            + "READ_HIT%".left(10) + " " + "WRITE_HIT%".left(10)
        return switch view {
        case .process: "PID".left(8) + " " + "UID".left(8) + " " + "CMD".left(16) + " " + pages
        case .file: (showsInode(width) ? "DEVICE".left(8) + " " + "INODE".left(12) + " " : "") + pages + "  FILE"
        case .cgroup: pages + "  CGROUP"
        }
    }

    /// - Parameters:
    ///   - width: of a screen, on which a name that is too long shows its end; nil: whole names.
    ///   - sideways: characters by which the screen was scrolled away from that end.
    public static func line(
        _ row: CacheTopRow, seesAccesses: Bool, width: Int? = nil, sideways: Int = 0, userName: (UInt32) -> String
    ) -> String {
        let pages = row.pages
        func percent(_ ratio: Double?, known: Bool = true) -> String {
            (known ? fixed(100 * (ratio ?? 0), 1) + "%" : "?").right(10)
        }
        let counts =
            [seesAccesses ? String(pages.hitPages) : "?", String(pages.missPages), String(pages.dirtyPages)]
            .map { $0.right(8) }.joined(separator: " ")
            + " " + percent(pages.hitRatio, known: seesAccesses) + " " + percent(pages.writeHitRatio)
        switch row.view {
        case .process:
            let user = String(Printable.text(row.uid.map(userName) ?? "?").prefix(8))
            let comm = Printable.text(row.comm ?? "?")
            return String(row.pid ?? 0).right(8) + " " + user.left(8) + " " + comm.left(16) + " "
                + counts
        case .file:
            let device = (row.file?.device ?? "?").left(8) + " "
            let inode = (row.file.map { String($0.inode) } ?? "?").left(12) + " "
            return named(row, behind: (showsInode(width) ? device + inode : "") + counts, width, sideways)
        case .cgroup: return named(row, behind: counts, width, sideways)
        }
    }

    private static func named(_ row: CacheTopRow, behind counts: String, _ width: Int?, _ sideways: Int) -> String {
        let name = Printable.text(row.name ?? "?")
        guard let width else { return counts + "  " + name }
        return counts + "  " + CacheTopScreen.end(of: name, width - counts.count - 2, scrolledBy: sideways)
    }

    /// Pages in no row, if there are any.
    public static func remark(_ report: CacheTopReport) -> String? {
        let rest = report.unattributed
        guard !rest.isEmpty else { return nil }
        return "not in any row, for a map was full: \(rest.accessPages) pages accessed, "
            + "\(rest.missPages) missed, \(rest.dirtyPages) dirtied"
    }
}
