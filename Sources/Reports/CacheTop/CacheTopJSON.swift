// SPDX-License-Identifier: Apache-2.0

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
        line.add("inode", hex: row.file?.inode)
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
