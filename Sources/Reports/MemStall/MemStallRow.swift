// SPDX-License-Identifier: Apache-2.0

/// One row: a task's stalls of one cause, or those of a process or a cgroup.
public struct MemStallRow: Hashable, Sendable {
    /// nil in a row of a cgroup or a cause.
    public var pid: UInt32?
    /// nil in a row of a process, a cgroup or a cause.
    public var tid: UInt32?
    public var comm: String?
    public var cgroup: CgroupPath?
    public var cause: MemStallCause
    public var limitCgroup: CgroupPath?
    public var counters: MemStallCounters
    /// What they began with, longest first: their time adds up to the row's. nil: stacks are not wanted.
    public var stacks: [MemStallStack]?

    public init(
        pid: UInt32?, tid: UInt32?, comm: String?, cgroup: CgroupPath?, cause: MemStallCause,
        limitCgroup: CgroupPath?, counters: MemStallCounters
    ) {
        (self.pid, self.tid, self.comm, self.cgroup) = (pid, tid, comm, cgroup)
        (self.cause, self.limitCgroup, self.counters) = (cause, limitCgroup, counters)
    }

    /// What there is a row of.
    public enum Grouping: String, CaseIterable, Hashable, Sendable { case task, process, cgroup, cause }

    /// Longest first; what is no wait behind what is.
    public static func sorted(_ rows: [MemStallRow]) -> [MemStallRow] {
        rows.sorted { a, b in
            if a.cause.isWait != b.cause.isWait { return a.cause.isWait }
            if a.counters.stalledNanoseconds != b.counters.stalledNanoseconds {
                return a.counters.stalledNanoseconds > b.counters.stalledNanoseconds
            }
            return (a.tid ?? a.pid ?? 0, a.cause.rawValue) < (b.tid ?? b.pid ?? 0, b.cause.rawValue)
        }
    }

    /// One row of those that differ in their stacks alone.
    public static func joined(_ parts: [(key: MemStallKey, row: MemStallRow)]) -> [MemStallRow] {
        var rows: [MemStallKey: MemStallRow] = [:]
        for (key, part) in parts {
            let key = key.withoutStacks
            guard var row = rows[key] else {
                rows[key] = part
                continue
            }
            row.counters.take(part.counters)
            if let stacks = part.stacks { row.stacks = (row.stacks ?? []) + stacks }
            rows[key] = row
        }
        return rows.values.map { row in
            var row = row
            row.stacks = row.stacks.map(MemStallStack.merged)
            return row
        }
    }

    /// The rows of what is grouped by, made of those of tasks.
    public static func grouped(_ rows: [MemStallRow], by grouping: Grouping) -> [MemStallRow] {
        guard grouping != .task else { return sorted(rows) }
        var groups: [MemStallRow: MemStallCounters] = [:]
        var stacks: [MemStallRow: [MemStallStack]] = [:]
        var order: [MemStallRow] = []
        for row in rows {
            var group = row
            group.counters = MemStallCounters()
            group.stacks = nil
            group.tid = nil
            // a process's threads have names of their own: the first, which stalled longest, names the row
            group.comm = nil
            if grouping != .process { group.pid = nil }
            if grouping == .cause { (group.cgroup, group.limitCgroup) = (nil, nil) }
            if groups[group] == nil { order.append(group) }
            groups[group, default: MemStallCounters()].take(row.counters)
            if let own = row.stacks { stacks[group, default: []] += own }
        }
        let names = Dictionary(sorted(rows).map { ($0.pid, $0.comm) }) { first, _ in first }
        return sorted(
            order.map { group in
                var row = group
                row.counters = groups[group] ?? MemStallCounters()
                row.stacks = stacks[group].map(MemStallStack.merged)
                if grouping == .process { row.comm = names[group.pid] ?? nil }
                return row
            })
    }
}

extension MemStallCounters {
    /// Takes in another task's.
    mutating func take(_ other: MemStallCounters) {
        count &+= other.count
        stalledNanoseconds &+= other.stalledNanoseconds
        psiNanoseconds &+= other.psiNanoseconds
        offCPUNanoseconds &+= other.offCPUNanoseconds
        reclaimedPages &+= other.reclaimedPages
        longestNanoseconds = max(longestNanoseconds, other.longestNanoseconds)
    }
}
