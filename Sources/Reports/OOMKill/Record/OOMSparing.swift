// SPDX-License-Identifier: Apache-2.0

/// A setting with which the kernel would have killed another than the victim: found by choosing anew with it
/// (mm/oom_kill.c, `oom_evaluate_task()`: the most points; of equals the first that it meets).
public struct OOMSparing: Hashable, Sendable {
    public enum Setting: Hashable, Sendable {
        /// The process's oom_score_adj at this value or less.
        case scoreAtMost(Int32)
        /// The process's oom_score_adj at this value or more.
        case scoreAtLeast(Int32)
        /// A limit of the process's cgroup below so many bytes: that cgroup runs out first.
        case limitBelow(UInt64)
    }

    public var setting: Setting
    /// The process that has the setting.
    public var pid: UInt32
    public var comm: String
    public var cgroup: CgroupPath?
    /// The process that would have been killed instead.
    public var chosen: UInt32
    public var chosenComm: String

    private init(
        _ setting: Setting, of process: OOMExplanation.Candidate, instead other: OOMExplanation.Candidate
    ) {
        self.setting = setting
        (pid, comm, cgroup) = (process.pid, process.comm, process.cgroup)
        (chosen, chosenComm) = (other.pid, other.comm)
    }

    /// What a choice must be clear by, in units of oom_score_adj, each a thousandth of the domain: the others' pages are
    /// those of up to a second before the kill.
    static let margin: Int64 = 10

    /// - Parameters:
    ///   - growers: the largest growth first.
    ///   - totalPages: what the domain may use in all.
    ///   - usages: what cgroups used at the last sample.
    static func all(
        _ candidates: [OOMExplanation.Candidate], growers: [OOMGrower], domain: CgroupPath?, totalPages: UInt64,
        usages: [OOMCgroup]
    ) -> [OOMSparing] {
        guard let victim = candidates.first(where: \.isChosen), let points = victim.points else { return [] }
        let others = candidates.filter { !$0.isChosen && $0.points != nil }
        // by points: the first would have been next
        guard let next = others.first, let nextPoints = next.points else { return [] }
        let unit = Int64(clamping: totalPages / 1000)
        var found = [lower(victim, to: nextPoints, unit, next)]
        let grower = growers.lazy.compactMap { grower in others.first { $0.pid == grower.pid } }.first
        if let raised = raise(grower ?? next, above: points, unit) { found.append(raised) }
        if let grower, let limit = limit(grower, victim, domain, usages) { found.append(limit) }
        return found
    }

    private static func lower(
        _ victim: OOMExplanation.Candidate, to next: Int64, _ unit: Int64, _ other: OOMExplanation.Candidate
    ) -> OOMSparing {
        let pages = (victim.points ?? 0) - victim.adjustmentPoints
        // below a thousand pages oom_score_adj has no weight, but for -1000
        let value = unit == 0 ? -1000 : floored(next - 1 - pages, by: unit) - margin
        let setting = Setting.scoreAtMost(value < -999 ? -1000 : Int32(min(value, 1000)))
        return OOMSparing(setting, of: victim, instead: other)
    }

    private static func raise(_ other: OOMExplanation.Candidate, above points: Int64, _ unit: Int64) -> OOMSparing? {
        guard unit > 0, let own = other.points else { return nil }
        let value = floored(points - (own - other.adjustmentPoints), by: unit) + 1 + margin
        guard value <= 1000 else { return nil }
        return OOMSparing(.scoreAtLeast(Int32(max(value, -999))), of: other, instead: other)
    }

    /// Where the one that grew has a cgroup to itself within what ran out.
    private static func limit(
        _ grower: OOMExplanation.Candidate, _ victim: OOMExplanation.Candidate, _ domain: CgroupPath?,
        _ usages: [OOMCgroup]
    ) -> OOMSparing? {
        guard let own = grower.cgroup, own != domain, own.path != "/", let theirs = victim.cgroup, !theirs.isBelow(own),
            let usage = usages.first(where: { $0.path == own })?.usageBytes
        else { return nil }
        return OOMSparing(.limitBelow(usage), of: grower, instead: grower)
    }

    private static func floored(_ value: Int64, by unit: Int64) -> Int64 {
        value / unit - (value % unit < 0 ? 1 : 0)
    }
}
