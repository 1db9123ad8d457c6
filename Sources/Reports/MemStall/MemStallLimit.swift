// SPDX-License-Identifier: Apache-2.0

/// What happened at a limit in an interval: a memory cgroup's, or the machine's own memory, where no limit is the cause.
public struct MemStallLimit: Hashable, Sendable {
    /// nil: the machine's.
    public let cgroup: CgroupPath?
    public let cause: MemStallCause
    /// Sum of the tasks that reclaimed at it, or were slowed down.
    public let stalledNanoseconds: UInt64
    public let reclaimedPages: UInt64
    /// The part of the interval that somebody, or everybody below the limit, does nothing but wait.
    public let waitingShare: Double
    /// memory.max or memory.high, whichever is the cause; nil where it is not known.
    public let limitBytes: UInt64?
    /// Tasks below it that the OOM killer ended; nil where it is not known.
    public let oomKills: UInt64?
    /// Pages below it that were read again a short while after they were evicted; nil where it is not known.
    public let refaultedPages: UInt64?
    /// Bytes of a page.
    public let pageSize: UInt64

    /// "Most of the time".
    static let most = 0.5
    /// Bytes freed per second stalled; an unhindered reclaim frees hundreds of MB.
    static let little = 1_000_000.0

    /// Bytes freed per second that tasks stalled.
    public var gained: Double {
        guard stalledNanoseconds > 0 else { return 0 }
        return Double(reclaimedPages) * Double(pageSize) / (Double(stalledNanoseconds) / 1e9)
    }

    /// The part of what was freed that was wanted again at once; nil where it is not known.
    public var readBack: Double? {
        guard let refaultedPages, reclaimedPages > 0 else { return nil }
        return min(Double(refaultedPages) / Double(reclaimedPages), 1)
    }

    /// A livelock: its tasks wait most of the time, win next to nothing by it, and nobody is killed for it.
    public var thrashes: Bool {
        cgroup != nil && waitingShare >= Self.most && (oomKills ?? 0) == 0
            && (gained < Self.little || (readBack ?? 0) >= Self.most)
    }

    /// The limits of an interval, those first where most time went.
    ///
    /// - Parameters:
    ///   - rows: of tasks.
    ///   - before: the cgroups' files at the interval's begin, as far as they were read.
    ///   - now: and at its end.
    public static func limits(
        _ rows: [MemStallRow], intervalNanoseconds: UInt64, before: [CgroupPath: StallCgroupFiles],
        now: [CgroupPath: StallCgroupFiles], pageSize: UInt64
    ) -> [MemStallLimit] {
        struct Key: Hashable {
            let cgroup: CgroupPath?
            let cause: MemStallCause
        }
        var sums: [Key: (stalled: UInt64, pages: UInt64, tasks: [UInt32?: UInt64])] = [:]
        for row in rows where row.isAtLimit {
            var sum = sums[Key(cgroup: row.limitCgroup, cause: row.cause)] ?? (0, 0, [:])
            let stalled = row.counters.stalledNanoseconds
            (sum.stalled, sum.pages) = (sum.stalled &+ stalled, sum.pages &+ row.counters.reclaimedPages)
            sum.tasks[row.tid, default: 0] &+= stalled
            sums[Key(cgroup: row.limitCgroup, cause: row.cause)] = sum
        }
        let length = Double(max(intervalNanoseconds, 1))
        return sums.map { key, sum in
            let memory = key.cgroup.flatMap { now[$0] }, earlier = key.cgroup.flatMap { before[$0] }
            func growth(_ counter: (StallCgroupFiles) -> UInt64?) -> UInt64? {
                guard let to = memory.flatMap(counter), let from = earlier.flatMap(counter) else { return nil }
                return to > from ? to - from : 0
            }
            let longest = Double(sum.tasks.values.max() ?? 0) / length
            let full = Double(growth { $0.pressure?.full } ?? 0) / length
            return MemStallLimit(
                cgroup: key.cgroup, cause: key.cause, stalledNanoseconds: sum.stalled, reclaimedPages: sum.pages,
                waitingShare: min(max(longest, full), 1),
                limitBytes: key.cause == .memcgHigh ? memory?.highBytes : memory?.maxBytes,
                oomKills: growth { $0.oomKills }, refaultedPages: growth { $0.refaultedPages }, pageSize: pageSize)
        }.sorted {
            if $0.stalledNanoseconds != $1.stalledNanoseconds {
                return $0.stalledNanoseconds > $1.stalledNanoseconds
            }
            return ($0.cgroup?.path ?? "", $0.cause.rawValue) < ($1.cgroup?.path ?? "", $1.cause.rawValue)
        }
    }
}

extension MemStallRow {
    /// Is it reclaim for want of room, below a limit or in the machine?
    var isAtLimit: Bool { cause == .memcgMax || cause == .memcgHigh || cause == .directReclaim }
}
