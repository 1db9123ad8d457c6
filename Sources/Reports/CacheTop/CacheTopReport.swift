// SPDX-License-Identifier: Apache-2.0

/// All that a cachetop report shows of one interval.
public struct CacheTopReport: Sendable {
    public let time: WallTime
    public let intervalNanoseconds: UInt64
    public let view: CacheTopView
    public let order: CacheTopOrder
    /// Sorted.
    public let rows: [CacheTopRow]
    /// Of all processes and files, whatever the rows show.
    public let total: PageCacheInterval
    public let unattributed: PageCacheInterval
    public let seesAccesses: Bool
    public let memory: MemoryInfo
    public let losses: Losses

    public init(
        time: WallTime, intervalNanoseconds: UInt64, view: CacheTopView, order: CacheTopOrder,
        rows: [CacheTopRow], total: PageCacheInterval, unattributed: PageCacheInterval,
        seesAccesses: Bool, memory: MemoryInfo, losses: Losses
    ) {
        self.time = time
        self.intervalNanoseconds = intervalNanoseconds
        self.view = view
        self.order = order
        self.rows = rows
        self.total = total
        self.unattributed = unattributed
        self.seesAccesses = seesAccesses
        self.memory = memory
        self.losses = losses
    }
}

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

    public static func header(_ view: CacheTopView) -> String {
        let pages =
            "HITS".left(8) + " " + "MISSES".left(8) + " " + "DIRTIES".left(8) + " "
            + "READ_HIT%".left(10) + " " + "WRITE_HIT%".left(10)
        return switch view {
        case .process: "PID".left(8) + " " + "UID".left(8) + " " + "CMD".left(16) + " " + pages
        case .file: "DEVICE".left(8) + " " + "INODE".left(12) + " " + pages + "  FILE"
        case .cgroup: pages + "  CGROUP"
        }
    }

    public static func line(
        _ row: CacheTopRow, seesAccesses: Bool, userName: (UInt32) -> String
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
            return (row.file?.device ?? "?").left(8) + " "
                + (row.file.map { String($0.inode) } ?? "?").left(12) + " " + counts + "  "
                + Printable.text(row.name ?? "?")
        case .cgroup: return counts + "  " + Printable.text(row.name ?? "?")
        }
    }

    /// Pages in no row, if there are any.
    public static func remark(_ report: CacheTopReport) -> String? {
        let rest = report.unattributed
        guard !rest.isEmpty else { return nil }
        return "not in any row, for a map was full: \(rest.accessPages) pages accessed, "
            + "\(rest.missPages) missed, \(rest.dirtyPages) dirtied"
    }
}

/// cachetop's JSON; Docs/tools/cachetop.md has the schema.
public enum CacheTopJSON {
    public static func line(_ row: CacheTopRow, of report: CacheTopReport) -> JSONLine {
        let pages = row.pages, known = report.seesAccesses
        var line = JSONLine(type: "cachetop")
        line.add("time", report.time.rfc3339)
        line.add("interval_ns", report.intervalNanoseconds)
        line.add("by", row.view.rawValue)
        line.add("pid", row.pid)
        line.add("uid", row.uid)
        line.add("comm", row.comm)
        line.add("file", row.view == .file ? row.name : nil)
        line.add("device", row.file?.device)
        line.add("inode", row.file?.inode)
        line.add("cgroup", row.view == .cgroup ? row.name : nil)
        add(pages, known, to: &line)
        return line
    }

    /// The interval's sums, behind its rows.
    public static func line(_ report: CacheTopReport) -> JSONLine {
        var line = JSONLine(type: "cachetop_interval")
        line.add("time", report.time.rfc3339)
        line.add("interval_ns", report.intervalNanoseconds)
        line.add("by", report.view.rawValue)
        line.add("rows", report.rows.count)
        add(report.total, report.seesAccesses, to: &line)
        line.add(
            "unattributed_pages",
            report.unattributed.accessPages &+ report.unattributed.missPages
                &+ report.unattributed.dirtyPages)
        line.add("buffers_bytes", report.memory.buffersBytes)
        line.add("cached_bytes", report.memory.cachedBytes)
        line.add("losses", report.losses.json)
        return line
    }

    private static func add(_ pages: PageCacheInterval, _ known: Bool, to line: inout JSONLine) {
        line.add("hit_pages", known ? pages.hitPages : nil)
        line.add("miss_pages", pages.missPages)
        line.add("dirty_pages", pages.dirtyPages)
        line.add("read_hit_ratio", known ? pages.hitRatio : nil)
        line.add("write_hit_ratio", pages.writeHitRatio)
        line.add("read_access_pages", known ? pages.readAccessPages : nil)
        line.add("fault_access_pages", known ? pages.faultAccessPages : nil)
        line.add("readahead_miss_pages", known ? pages.readaheadMissPages : nil)
        line.add("write_alloc_pages", pages.writeAllocatedPages)
    }
}
