// SPDX-License-Identifier: Apache-2.0

/// Who waited for memory in one interval, and what the kernel says of the same time.
public struct MemStallInterval: Hashable, Sendable {
    public let time: WallTime
    public let intervalNanoseconds: UInt64
    /// Longest first.
    public let rows: [MemStallRow]
    /// The cgroups whose tasks stalled, longest first.
    public var groups: [MemStallGroup] = []
    /// Does the kernel keep PSI by cgroup? Version 2's memory cgroups alone have it.
    public var hasGroupPressure = false
    /// Who allocates at which limit.
    public var culprits: [MemStallCulprit] = []
    /// Evicted pages, whose and by whom; nil where it was not asked for, or is not seen here.
    public var evictions: [MemStallEviction]?
    /// Who reclaims besides; nil where it was not asked for.
    public var reclaim: MemStallReclaim?
    /// What it means, gravest first.
    public var hints: [MemStallHint] = []
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

    /// What the tasks' rows say of cgroups, limits, and who is to blame.
    ///
    /// - Parameters:
    ///   - tasks: every task's rows.
    ///   - before: the cgroups' files at the interval's begin, as far as they were read.
    ///   - now: and at its end.
    ///   - explained: by cgroup, PSI's "some" as the stalls make it.
    public mutating func judge(
        tasks: [MemStallRow], before: [CgroupPath: StallCgroupFiles], now: [CgroupPath: StallCgroupFiles],
        explained: [CgroupPath: UInt64], pageSize: UInt64
    ) {
        var pressures: [CgroupPath: MemoryPressure] = [:]
        for (path, memory) in now {
            guard let pressure = memory.pressure, let earlier = before[path]?.pressure else { continue }
            pressures[path] = pressure.since(earlier)
        }
        groups = MemStallGroup.groups(tasks, pressures: pressures, explained: explained)
        let limits = MemStallLimit.limits(
            tasks, intervalNanoseconds: intervalNanoseconds, before: before, now: now, pageSize: pageSize)
        culprits = MemStallCulprit.culprits(tasks, at: limits, before: before, now: now)
        hints = MemStallHint.hints(
            tasks, intervalNanoseconds: intervalNanoseconds, limits: limits, culprits: culprits)
    }

    /// How much of PSI's "some" the stalls explain; nil where there is none to speak of, or nothing is compared.
    public var explainedRatio: Double? { ratio(of: explained, by: pressure) }
    /// The part of PSI's "some" that no stall explains, in PSI's own time; nil where nothing is compared.
    public var unexplainedNanoseconds: UInt64? { unexplained(explained, of: pressure) }

    /// The sum of the rows that are waits.
    public var stalledNanoseconds: UInt64 { sum(\.stalledNanoseconds) }
    /// The part that PSI counts, of all rows.
    public var psiNanoseconds: UInt64 { rows.reduce(0) { $0 &+ $1.counters.psiNanoseconds } }

    private func sum(_ counter: KeyPath<MemStallCounters, UInt64>) -> UInt64 {
        rows.reduce(0) { $1.cause.isWait ? $0 &+ $1.counters[keyPath: counter] : $0 }
    }
}
