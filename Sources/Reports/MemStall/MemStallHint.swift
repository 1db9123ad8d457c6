// SPDX-License-Identifier: Apache-2.0

/// What an interval means, and what to look at next: decided by its numbers.
public enum MemStallHint: Hashable, Sendable {
    /// A cgroup's tasks stall most of the time at a limit, and gain little by it.
    case thrashes(limit: CgroupPath, cause: MemStallCause, share: Double, pagesPerSecond: Double)
    /// A limit is where most of the time goes, and reclaim finds what it wants.
    case atLimit(limit: CgroupPath, cause: MemStallCause, share: Double)
    /// Most of it is reclaim for the machine as a whole.
    case machineShort(share: Double)
    /// Most of it is compaction for large pages.
    case compacts(share: Double)
    /// Most of it is waiting for pages that were evicted a short while ago.
    case readsAgain(cause: MemStallCause, share: Double)
    /// Writers wait for the disk.
    case writes(share: Double)

    /// A task that stalls for less of an interval than this is in no trouble.
    static let notable = 0.05
    /// "Most of the time": for a livelock verdict.
    static let most = 0.5
    /// 1 MB a second stalled, in pages of 4 KiB; an unhindered reclaim frees hundreds of MB.
    static let little = 256.0

    /// The hints of an interval, gravest first; none where nobody waits to speak of.
    public static func hints(_ interval: MemStallInterval) -> [MemStallHint] {
        let total = Double(interval.stalledNanoseconds), length = Double(interval.intervalNanoseconds)
        guard length > 0, total / length >= notable else { return [] }
        var limits: [Limit: Sum] = [:], causes: [MemStallCause: Double] = [:]
        for row in interval.rows where row.cause.isWait {
            let stalled = Double(row.counters.stalledNanoseconds)
            causes[row.cause, default: 0] += stalled
            if let path = row.limitCgroup {
                limits[Limit(path: path, cause: row.cause), default: Sum()].add(row, of: length)
            }
        }
        var hints: [MemStallHint] = []
        for (limit, sum) in limits.sorted(by: {
            ($1.value.stalled, $0.key.path.path) < ($0.value.stalled, $1.key.path.path)
        }) {
            let gained = sum.pages / (sum.stalled / 1e9)
            if sum.longestShare >= most && gained < little {
                hints.append(
                    .thrashes(
                        limit: limit.path, cause: limit.cause, share: sum.longestShare, pagesPerSecond: gained))
            } else if sum.stalled / total >= most {
                hints.append(.atLimit(limit: limit.path, cause: limit.cause, share: sum.stalled / total))
            }
        }
        func share(_ cause: MemStallCause) -> Double { (causes[cause] ?? 0) / total }
        if share(.directReclaim) >= most { hints.append(.machineShort(share: share(.directReclaim))) }
        if share(.compaction) >= most { hints.append(.compacts(share: share(.compaction))) }
        for cause in [MemStallCause.refault, .swapin] where share(cause) >= most {
            hints.append(.readsAgain(cause: cause, share: share(cause)))
        }
        if share(.dirtyThrottle) >= most { hints.append(.writes(share: share(.dirtyThrottle))) }
        return hints
    }

    private struct Limit: Hashable {
        let path: CgroupPath
        let cause: MemStallCause
    }

    private struct Sum {
        var stalled = 0.0, pages = 0.0
        /// The part of the interval that the task stalls which stalls longest.
        var longestShare = 0.0

        mutating func add(_ row: MemStallRow, of length: Double) {
            stalled += Double(row.counters.stalledNanoseconds)
            pages += Double(row.counters.reclaimedPages)
            longestShare = max(longestShare, Double(row.counters.stalledNanoseconds) / length)
        }
    }

    /// In a line or two of a user's words.
    public var text: String {
        func percent(_ share: Double) -> String { "\(Int((min(share, 1) * 100).rounded())) %" }
        switch self {
        case .thrashes(let limit, let cause, let share, let pages):
            let name = Printable.text(limit.path)
            let remedy =
                cause == .memcgHigh
                ? "raise memory.high, or let it OOM by memory.max" : "raise memory.max, or let it OOM"
            return "thrashes at \(cause == .memcgHigh ? "memory.high" : "the limit") of \(name): "
                + "stalled \(percent(share)) of the time for \(fixed(pages, 0)) pages a second; \(remedy)"
        case .atLimit(let limit, let cause, let share):
            return "\(percent(share)) is \(cause.name) at the limit of \(Printable.text(limit.path)): "
                + "what runs there needs more than it may have"
        case .machineShort(let share):
            return "\(percent(share)) is direct reclaim: the machine is short of memory, and kswapd does not keep up"
                + " (vm.watermark_scale_factor, vm.min_free_kbytes)"
        case .compacts(let share):
            return "\(percent(share)) is compaction: large pages are wanted of fragmented memory"
                + " (/sys/kernel/mm/transparent_hugepage/defrag)"
        case .readsAgain(let cause, let share):
            return "\(percent(share)) is \(cause.name): pages are read again that were evicted a short while ago;"
                + (cause == .swapin ? " see `swiftmem swapin`" : " see `swiftmem cachetop`")
        case .writes(let share):
            return "\(percent(share)) is dirty_throttle: files are written faster than the disk takes them"
                + " (vm.dirty_bytes, vm.dirty_background_bytes)"
        }
    }
}
