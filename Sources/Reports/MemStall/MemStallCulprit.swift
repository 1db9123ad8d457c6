// SPDX-License-Identifier: Apache-2.0

/// Who wants memory where tasks reclaim: a cgroup below a limit, or one of the machine's where the machine is short. A
/// task that may not have a page frees some itself: what a cgroup's tasks freed is what they asked for too much.
public struct MemStallCulprit: Hashable, Sendable {
    public let limit: MemStallLimit
    /// Who allocates; nil where it is not known.
    public let cgroup: CgroupPath?
    /// The tasks of it that stalled.
    public let tasks: Int
    public let stalledNanoseconds: UInt64
    public let reclaimedPages: UInt64
    /// Its memory, and what the interval added to it; nil where that is not known.
    public let usageBytes: UInt64?
    public let grownBytes: Int64?

    /// The part of all pages that were freed at the limit; nil where none were.
    public var reclaimedShare: Double? {
        limit.reclaimedPages > 0 ? Double(reclaimedPages) / Double(limit.reclaimedPages) : nil
    }

    /// Those of an interval: limits in their order, and of each who freed most first.
    ///
    /// - Parameters:
    ///   - rows: of tasks.
    ///   - before: the cgroups' files at the interval's begin, as far as they were read.
    ///   - now: and at its end.
    public static func culprits(
        _ rows: [MemStallRow], at limits: [MemStallLimit], before: [CgroupPath: StallCgroupFiles],
        now: [CgroupPath: StallCgroupFiles]
    ) -> [MemStallCulprit] {
        limits.flatMap { limit in
            var sums: [CgroupPath?: (tasks: Set<UInt32>, stalled: UInt64, pages: UInt64)] = [:]
            for row in rows where row.isAtLimit && row.limitCgroup == limit.cgroup && row.cause == limit.cause {
                var sum = sums[row.cgroup] ?? ([], 0, 0)
                if let tid = row.tid { sum.tasks.insert(tid) }
                sum.stalled &+= row.counters.stalledNanoseconds
                sum.pages &+= row.counters.reclaimedPages
                sums[row.cgroup] = sum
            }
            return sums.map { cgroup, sum in
                let usage = cgroup.flatMap { now[$0]?.usageBytes }, earlier = cgroup.flatMap { before[$0]?.usageBytes }
                return MemStallCulprit(
                    limit: limit, cgroup: cgroup, tasks: sum.tasks.count, stalledNanoseconds: sum.stalled,
                    reclaimedPages: sum.pages, usageBytes: usage,
                    grownBytes: usage.flatMap { usage in
                        earlier.map { Int64(clamping: usage) - Int64(clamping: $0) }
                    })
            }.sorted {
                if $0.reclaimedPages != $1.reclaimedPages { return $0.reclaimedPages > $1.reclaimedPages }
                return ($1.stalledNanoseconds, $0.cgroup?.path ?? "") < ($0.stalledNanoseconds, $1.cgroup?.path ?? "")
            }
        }
    }
}
