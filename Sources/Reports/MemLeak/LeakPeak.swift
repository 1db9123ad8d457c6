// SPDX-License-Identifier: Apache-2.0

/// The look that found most outstanding (`--peak`).
public struct LeakPeak: Hashable, Sendable {
    public let time: WallTime
    /// CLOCK_MONOTONIC, nanoseconds.
    public let monotonic: UInt64
    /// Bytes and allocations of all stacks, shown or not.
    public let total: OutstandingSum
    /// In the order asked for: those to show, or all where other tools are to read them.
    public internal(set) var stacks: [MemLeakStack]
    /// Stacks in all.
    public let siteCount: Int
    /// Seconds since tracing began.
    public let watched: Double

    func lines(_ text: MemLeakText) -> [String] {
        let shown = stacks.prefix(text.top)
        let head =
            "[\(time.clockTime)] Peak: \(total.bytes) bytes in \(total.count) allocations, after "
            + "\(MemLeakText.seconds(watched)) s; top \(text.top) stacks:"
        return [head] + shown.reversed().flatMap { text.lines($0) }
    }

    /// An object a stack, then the peak's own.
    func json(top: Int) -> [JSONLine] {
        let shown = stacks.prefix(top)
        var line = JSONLine(type: "memleak_peak")
        line.add("time", time.rfc3339)
        line.add("outstanding_bytes", total.bytes)
        line.add("outstanding_count", total.count)
        line.add("estimated", total.isEstimated)
        line.add("stacks", siteCount)
        line.add("stacks_shown", shown.count)
        line.add("watched_ns", UInt64(max(0, watched) * 1e9))
        return shown.map { MemLeakJSON.line($0, time: time, monotonic: monotonic) } + [line]
    }
}
