// SPDX-License-Identifier: Apache-2.0

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
