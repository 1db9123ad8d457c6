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
