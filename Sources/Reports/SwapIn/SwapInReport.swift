// SPDX-License-Identifier: Apache-2.0

/// swapin's text: bcc's columns, or all that is known.
public enum SwapInText {
    public static let header = "Counting swap ins. Ctrl-C to end."
    public static let ending = "Detaching..."

    public struct Layout: Hashable, Sendable {
        public var time: Bool
        public var wide: Bool
        public var byCgroup: Bool

        public init(time: Bool = true, wide: Bool = false, byCgroup: Bool = false) {
            (self.time, self.wide, self.byCgroup) = (time, wide, byCgroup)
        }
    }

    /// An interval: time, heading, rows, histogram, an empty line.
    public static func lines(_ interval: SwapInInterval, _ layout: Layout) -> [String] {
        var lines = layout.time ? [interval.time.clockTime] : []
        lines.append(heading(layout))
        for row in interval.rows where layout.wide || row.pages > 0 { lines.append(line(row, layout)) }
        if let histogram = interval.histogram {
            let bars = histogram.lines(unit: "wait_us")
            if !bars.isEmpty { lines += [""] + bars }
        }
        return lines + [""]
    }

    private static let wideHeadings = [
        "COUNT", "AHEAD", "DISK", "ZRAM", "ZSWAP", "ZERO", "OUT",
    ]

    private static func heading(_ layout: Layout) -> String {
        let first = layout.byCgroup ? "CGROUP".left(24) : "COMM".left(16) + " " + "PID".left(7)
        guard layout.wide else { return first + " COUNT" }
        return first + " " + wideHeadings.map { $0.right(7) }.joined(separator: " ") + " "
            + "WAIT_MS".right(10) + " " + "MAX_MS".right(9) + (layout.byCgroup ? "" : " CGROUP")
    }

    private static func line(_ row: SwapInRow, _ layout: Layout) -> String {
        let cgroup = row.cgroup.map { Printable.text($0.path) } ?? "-"
        let first =
            layout.byCgroup
            ? cgroup.left(24)
            : Printable.text(row.comm ?? "").left(16) + " " + (row.pid.map(String.init) ?? "-").left(7)
        guard layout.wide else { return first + " \(row.pages)" }
        let counts: [UInt64?] = [
            row.pages, row.readaheadPages, row.diskPages, row.zramPages, row.zswapPages, row.zeroPages,
            row.swapoutPages,
        ]
        return first + " "
            + counts.map { ($0.map(String.init) ?? "-").right(7) }.joined(separator: " ") + " "
            + milliseconds(row.waitNanoseconds).right(10) + " "
            + milliseconds(row.longestNanoseconds).right(9) + (layout.byCgroup ? "" : " " + cgroup)
    }

    private static func milliseconds(_ nanoseconds: UInt64?) -> String {
        nanoseconds.map { fixed(Double($0) / 1e6, 3) } ?? "-"
    }
}

/// swapin's JSON; Docs/tools/swapin.md has the schema.
public enum SwapInJSON {
    /// The rows, then the interval's own object.
    public static func lines(_ interval: SwapInInterval) -> [JSONLine] {
        interval.rows.map { line($0, interval) } + [closing(interval)]
    }

    private static func line(_ row: SwapInRow, _ interval: SwapInInterval) -> JSONLine {
        var line = JSONLine(type: "swapin")
        line.add("time", interval.time.rfc3339)
        line.add("interval_ns", interval.intervalNanoseconds)
        line.add("pid", row.pid)
        line.add("comm", row.comm)
        line.add("cgroup", row.cgroup?.path)
        line.add("processes", row.processes)
        line.add("swapin_pages", row.pages)
        line.add("wait_ns", row.waitNanoseconds)
        line.add("wait_max_ns", row.longestNanoseconds)
        line.add("waits", row.waits)
        line.add("readahead_pages", row.readaheadPages)
        line.add("disk_pages", row.diskPages)
        line.add("zram_pages", row.zramPages)
        line.add("zswap_pages", row.zswapPages)
        line.add("zero_pages", row.zeroPages)
        line.add("swapout_pages", row.swapoutPages)
        return line
    }

    private static func closing(_ interval: SwapInInterval) -> JSONLine {
        func sum(_ part: (SwapInRow) -> UInt64?) -> UInt64? {
            var total: UInt64 = 0
            for row in interval.rows {
                guard let value = part(row) else { return nil }
                total &+= value
            }
            return total
        }
        var line = JSONLine(type: "swapin_interval")
        line.add("time", interval.time.rfc3339)
        line.add("interval_ns", interval.intervalNanoseconds)
        line.add("swapin_pages", sum { $0.pages })
        line.add("zswap_pages", sum { $0.zswapPages })
        line.add("zero_pages", sum { $0.zeroPages })
        line.add("swapout_pages", sum { $0.swapoutPages })
        line.add("wait_ns", sum { $0.waitNanoseconds })
        line.add("vmstat_pswpin_pages", interval.vmstat.pswpin)
        line.add("vmstat_zswpin_pages", interval.vmstat.zswpin)
        line.add("vmstat_swpin_zero_pages", interval.vmstat.swpinZero)
        line.add("vmstat_pswpout_pages", interval.vmstat.pswpout)
        if let histogram = interval.histogram { line.add("wait_histogram", histogram.json(unit: "us")) }
        line.add("losses", interval.losses.json)
        return line
    }
}
