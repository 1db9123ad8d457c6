// SPDX-License-Identifier: Apache-2.0

/// What reports are sorted by.
public enum MemLeakOrder: String, CaseIterable, Sendable {
    /// What matters first: what leaks, then what grows, each by its growth; then the rest by size.
    case verdict
    case size, count
    /// By bytes a second.
    case growth
    /// The oldest first.
    case age

    /// Whether the first of two stacks stands above the second; nil: neither does.
    func isAbove(_ first: RankedStack, _ second: RankedStack) -> Bool? {
        let (a, b) = (first.sum, second.sum)
        return switch self {
        case .verdict: Self.matters(first, second)
        case .size: Self.first([(a.bytes, b.bytes), (a.count, b.count)])
        case .count: Self.first([(a.count, b.count), (a.bytes, b.bytes)])
        case .growth: Self.more(first.growth, second.growth) ?? MemLeakOrder.size.isAbove(first, second)
        case .age:
            a.oldestTime == b.oldestTime
                ? MemLeakOrder.size.isAbove(first, second) : (a.oldestTime ?? .max) < (b.oldestTime ?? .max)
        }
    }

    private static func matters(_ first: RankedStack, _ second: RankedStack) -> Bool? {
        let (a, b) = (first.verdict.rank, second.verdict.rank)
        if a != b { return a < b }
        let grows = a <= LeakVerdict.growing.rank
        return (grows ? more(first.growth, second.growth) : nil) ?? MemLeakOrder.size.isAbove(first, second)
    }

    private static func more(_ first: Double, _ second: Double) -> Bool? { first == second ? nil : first > second }

    private static func first(_ pairs: [(UInt64, UInt64)]) -> Bool? {
        pairs.first { $0.0 != $0.1 }.map { $0.0 > $0.1 }
    }
}

/// What a stack's place in a report depends on.
public struct RankedStack: Hashable, Sendable {
    public let pid: UInt32
    public let id: StackID
    public let sum: OutstandingSum
    public let trend: StackTrend

    public init(pid: UInt32, id: StackID, sum: OutstandingSum, trend: StackTrend) {
        (self.pid, self.id, self.sum, self.trend) = (pid, id, sum, trend)
    }

    var verdict: LeakVerdict { trend.verdict }
    var growth: Double { trend.growth?.value ?? 0 }

    /// In an order; equal ones by process and id.
    public static func sorted(_ stacks: [RankedStack], by order: MemLeakOrder) -> [RankedStack] {
        stacks.sorted { order.isAbove($0, $1) ?? (($0.pid, $0.id.value) < ($1.pid, $1.id.value)) }
    }
}
