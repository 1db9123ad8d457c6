// SPDX-License-Identifier: Apache-2.0

/// Who waited for memory in one interval, and what the kernel says of the same time.
public struct MemStallInterval: Hashable, Sendable {
    public let time: WallTime
    public let intervalNanoseconds: UInt64
    /// Longest first.
    public let rows: [MemStallRow]
    /// The machine's; nil where the kernel keeps none.
    public let pressure: MemoryPressure?
    /// PSI's "some" as the stalls that were seen make it, of all tasks; nil where nothing is compared.
    public let explained: UInt64?
    /// The machine's reclaim, by the kernel's own counters.
    public let vmstat: ReclaimVMStat
    /// By cause, in microseconds; nil where it was not asked for.
    public let histograms: [MemStallCause: Log2Histogram]?
    public let losses: Losses

    public init(
        time: WallTime, intervalNanoseconds: UInt64, rows: [MemStallRow], pressure: MemoryPressure?,
        explained: UInt64?, vmstat: ReclaimVMStat, histograms: [MemStallCause: Log2Histogram]?, losses: Losses
    ) {
        (self.time, self.intervalNanoseconds, self.rows) = (time, intervalNanoseconds, rows)
        (self.pressure, self.explained, self.vmstat) = (pressure, explained, vmstat)
        (self.histograms, self.losses) = (histograms, losses)
    }

    /// Below a millisecond there is nothing to compare.
    static let leastPressure: UInt64 = 1_000_000

    /// How much of PSI's "some" the stalls explain; nil where there is none to speak of, or nothing is compared.
    public var explainedRatio: Double? {
        guard let pressure, let explained, pressure.some >= Self.leastPressure else { return nil }
        return Double(explained) / Double(pressure.some)
    }

    /// The sum of the rows that are waits.
    public var stalledNanoseconds: UInt64 { sum(\.stalledNanoseconds) }
    /// The part that PSI counts, of all rows.
    public var psiNanoseconds: UInt64 { rows.reduce(0) { $0 &+ $1.counters.psiNanoseconds } }

    private func sum(_ counter: KeyPath<MemStallCounters, UInt64>) -> UInt64 {
        rows.reduce(0) { $1.cause.isWait ? $0 &+ $1.counters[keyPath: counter] : $0 }
    }
}
