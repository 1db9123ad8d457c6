// SPDX-License-Identifier: Apache-2.0

/// What an interval means, and what to look at next: decided by its numbers.
public enum MemStallHint: Hashable, Sendable {
    /// A livelock at a cgroup's limit.
    case thrashes(MemStallLimit)
    /// A limit is where most of the time goes, and reclaim finds what it wants.
    case atLimit(MemStallLimit, share: Double)
    /// Among several cgroups below a limit, one asks for most of what is freed there.
    case culprit(MemStallCulprit, share: Double)
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
    static let most = MemStallLimit.most

    /// The hints of an interval, gravest first; none where nobody waits to speak of.
    ///
    /// - Parameters:
    ///   - rows: of tasks.
    ///   - limits: where they wait, the one first where most time goes.
    ///   - culprits: who allocates there.
    public static func hints(
        _ rows: [MemStallRow], intervalNanoseconds: UInt64, limits: [MemStallLimit], culprits: [MemStallCulprit]
    ) -> [MemStallHint] {
        var causes: [MemStallCause: Double] = [:], total = 0.0
        for row in rows where row.cause.isWait {
            let stalled = Double(row.counters.stalledNanoseconds)
            causes[row.cause, default: 0] += stalled
            total += stalled
        }
        let length = Double(intervalNanoseconds)
        guard length > 0, total / length >= notable else { return [] }
        func share(_ cause: MemStallCause) -> Double { (causes[cause] ?? 0) / total }

        var hints = limits.filter(\.thrashes).map { MemStallHint.thrashes($0) }
        for limit in limits where limit.cgroup != nil {
            let share = Double(limit.stalledNanoseconds) / total
            guard share >= most else { continue }
            if !limit.thrashes { hints.append(.atLimit(limit, share: share)) }
        }
        for limit in limits where Double(limit.stalledNanoseconds) / total >= most {
            let there = culprits.filter { $0.limit == limit }
            guard there.count > 1, let first = there.first, first.cgroup != nil, let share = first.reclaimedShare,
                share >= most
            else { continue }
            hints.append(.culprit(first, share: share))
        }
        if share(.directReclaim) >= most { hints.append(.machineShort(share: share(.directReclaim))) }
        if share(.compaction) >= most { hints.append(.compacts(share: share(.compaction))) }
        for cause in [MemStallCause.refault, .swapin] where share(cause) >= most {
            hints.append(.readsAgain(cause: cause, share: share(cause)))
        }
        if share(.dirtyThrottle) >= most { hints.append(.writes(share: share(.dirtyThrottle))) }
        return hints
    }

    /// In a line or some of a user's words.
    public var text: String {
        func percent(_ share: Double) -> String { "\(Int((min(share, 1) * 100).rounded())) %" }
        func name(_ cgroup: CgroupPath?) -> String { cgroup.map { Printable.text($0.path) } ?? "the machine" }
        func size(_ limit: MemStallLimit) -> String {
            limit.limitBytes.map { " (\($0 >> 20) MB)" } ?? ""
        }
        switch self {
        case .thrashes(let limit):
            let isHigh = limit.cause == .memcgHigh
            var text = "reclaims \(fixed(limit.gained / 1e6, 1)) MB per second stalled at "
            text += isHigh ? "memory.high of " : "the limit of "
            text += name(limit.cgroup) + size(limit)
            if let readBack = limit.readBack, readBack >= Self.most { text += ", and reads \(percent(readBack)) back" }
            text += "; waits \(percent(limit.waitingShare)) of the time: it thrashes and will not be killed; "
            text += isHigh ? "raise memory.high, or let it OOM by memory.max" : "raise memory.max, or let it OOM"
            return text
        case .atLimit(let limit, let share):
            return "\(percent(share)) is \(limit.cause.name) at the limit of \(name(limit.cgroup))\(size(limit)): "
                + "what runs there needs more than it may have"
        case .culprit(let culprit, let share):
            let place = culprit.limit.cgroup.map { "at the limit of " + name($0) } ?? "by tasks for the machine"
            return "\(name(culprit.cgroup)) asks for \(percent(share)) of what is freed \(place)"
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
