// SPDX-License-Identifier: Apache-2.0

/// `--trace`: a line a stall, with drsnoop's columns and why.
public struct MemStallTraceText: Sendable {
    /// CLOCK_MONOTONIC of the first event, from which the time counts.
    private var first: UInt64?

    public init() {}

    public var header: String {
        var line = TableLine()
        line.right("TIME(s)", 12)
        line.left("COMM", 15)
        line.left("TID", 7)
        line.left("CAUSE", 14)
        line.right(["LAT(ms)", "OFF(ms)"], 9)
        line.right("PAGES", 6)
        line.add("LIMIT")
        return line.text
    }

    public mutating func line(_ event: MemStallEvent, limit: CgroupPath?) -> String {
        let start = first ?? event.end
        first = start
        var line = TableLine()
        line.right(fixed(Double(event.end > start ? event.end - start : 0) / 1e9, 6), 12)
        line.left(String(Printable.text(event.comm).prefix(15)), 15)
        line.left(String(event.tid), 7)
        line.left(event.cause.name, 14)
        line.right(fixed(Double(event.stalledNanoseconds) / 1e6, 3), 9)
        line.right(fixed(Double(event.offCPUNanoseconds) / 1e6, 3), 9)
        line.right(String(event.reclaimedPages), 6)
        line.add(limit.map { Printable.text($0.path) } ?? "-")
        return line.text
    }
}
