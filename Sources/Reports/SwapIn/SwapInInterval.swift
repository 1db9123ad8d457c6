// SPDX-License-Identifier: Apache-2.0

/// Which parts of a report the probes in place can tell.
public struct SwapInKnown: Hashable, Sendable {
    /// How many pages zswap had, and how many were zero-filled.
    public var sources: Bool
    /// Which pages a fault asked for.
    public var asked: Bool
    public var waits: Bool
    public var swapouts: Bool

    public init(sources: Bool, asked: Bool, waits: Bool, swapouts: Bool) {
        (self.sources, self.asked, self.waits, self.swapouts) = (sources, asked, waits, swapouts)
    }
}

/// One interval.
public struct SwapInInterval: Hashable, Sendable {
    public var time: WallTime
    public var intervalNanoseconds: UInt64
    /// Those with any swap-in, swap-out or wait in it, in order.
    public var rows: [SwapInRow]
    public var vmstat: SwapVMStat
    /// Waits in microseconds; nil where it was not asked for, or is not known.
    public var histogram: Log2Histogram?
    public var losses: Losses

    public init(
        time: WallTime, intervalNanoseconds: UInt64, rows: [SwapInRow], vmstat: SwapVMStat,
        histogram: Log2Histogram?, losses: Losses
    ) {
        self.time = time
        self.intervalNanoseconds = intervalNanoseconds
        self.rows = rows
        self.vmstat = vmstat
        self.histogram = histogram
        self.losses = losses
    }
}
