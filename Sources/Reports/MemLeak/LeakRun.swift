// SPDX-License-Identifier: Apache-2.0

/// What of a run its reports depend on, and what was fixed when it began.
public struct LeakRun: Hashable, Sendable {
    /// When tracing began, CLOCK_MONOTONIC nanoseconds.
    public var start: UInt64
    /// Seconds after which a growth that has not ended may be called a leak.
    public var patience: Double
    /// False where growth proves no leak, however long it goes on: nothing is known of ages, or it is the kernel's memory.
    public var mayLeak: Bool
    /// Ages are known. Not where the kernel adds up.
    public var hasAges: Bool
    /// Every free without an allocation is one of what was there before the start.
    public var seesOldFrees: Bool
    /// More than one process may show up in a report.
    public var hasSeveralProcesses: Bool
    /// It is the kernel's memory.
    public var isKernel: Bool
    /// As the report's head names it.
    public var target: String

    public init(
        start: UInt64, patience: Double, mayLeak: Bool, hasAges: Bool = true, seesOldFrees: Bool = true,
        hasSeveralProcesses: Bool = false, isKernel: Bool = false, target: String
    ) {
        self.isKernel = isKernel
        (self.start, self.patience, self.mayLeak) = (start, patience, mayLeak && hasAges)
        (self.hasAges, self.seesOldFrees) = (hasAges, seesOldFrees)
        (self.hasSeveralProcesses, self.target) = (hasSeveralProcesses, target)
    }
}

/// What of a report can be chosen anew, whatever was recorded.
public struct LeakViewOptions: Hashable, Sendable {
    /// Stacks in a report.
    public var top: Int
    public var order: MemLeakOrder
    /// What makes two stacks one.
    public var granularity: StackID.Granularity
    /// Stacks that are not reported; nil: all are.
    public var suppressions: LeakSuppressions?
    /// The stacks of the highest moment are kept.
    public var keepsPeak: Bool

    public init(
        top: Int = 10, order: MemLeakOrder = .verdict, granularity: StackID.Granularity = .function,
        suppressions: LeakSuppressions? = nil, keepsPeak: Bool = false
    ) {
        self.keepsPeak = keepsPeak
        (self.top, self.order, self.granularity, self.suppressions) = (top, order, granularity, suppressions)
    }
}

/// What is outstanding at a moment, by captured stack.
public struct LeakLook: Hashable, Sendable {
    /// CLOCK_MONOTONIC nanoseconds.
    public var time: UInt64
    public var wall: WallTime
    public var sums: [AllocationSite: OutstandingSum]
    /// How many were recorded since the start, by captured stack; nil: not known.
    public var made: [AllocationSite: UInt64]?
    /// Frees since the start of what was there before it; nil: not known.
    public var unmatched: UInt64?

    public init(
        time: UInt64, wall: WallTime, sums: [AllocationSite: OutstandingSum], made: [AllocationSite: UInt64]?,
        unmatched: UInt64?
    ) {
        (self.time, self.wall, self.sums) = (time, wall, sums)
        (self.made, self.unmatched) = (made, unmatched)
    }

    /// By process, then by stack: sums of floating point depend on the order.
    var sites: [AllocationSite] {
        sums.keys.sorted { ($0.pid, $0.stack) < ($1.pid, $1.stack) }
    }
}
