// SPDX-License-Identifier: Apache-2.0

/// A stack of a process, as reports tell them apart.
public struct StackKey: Hashable, Sendable {
    /// 0: the kernel's.
    public let pid: UInt32
    public let id: StackID

    public init(pid: UInt32, id: StackID) {
        self.pid = pid
        self.id = id
    }
}

/// What is outstanding, by what reports tell apart: captured stacks of one key are one.
public struct StackGroups: Sendable {
    public private(set) var sums: [StackKey: OutstandingSum] = [:]
    /// The largest of each, whose frames stand for all, and how many there are.
    public private(set) var members: [StackKey: (largest: AllocationSite, bytes: UInt64, count: Int)] = [:]

    public init() {}

    /// Adds a captured stack's.
    public mutating func add(_ site: AllocationSite, _ sum: OutstandingSum, key: StackKey) {
        guard let others = members[key] else {
            sums[key] = sum
            members[key] = (site, sum.bytes, 1)
            return
        }
        sums[key]?.add(sum)
        // the same whatever the order of the table
        let isLarger = (sum.bytes, site.stack) > (others.bytes, others.largest.stack)
        members[key] = (isLarger ? site : others.largest, max(sum.bytes, others.bytes), others.count + 1)
    }
}
