// SPDX-License-Identifier: Apache-2.0
package import TraceRecords

/// What the programs counted, since they were loaded.
public struct MemLeakCounters: Hashable, Sendable {
    public var allocations: UInt64 = 0
    public var frees: UInt64 = 0
    public var unmatchedFrees: UInt64 = 0
    public var sampledOut: UInt64 = 0
    public var filteredOut: UInt64 = 0
    public var failed: UInt64 = 0
    public var abandoned: UInt64 = 0
    /// Stacks put into the kernel's table.
    public var stacks: UInt64 = 0
    /// Calls of an operator new that could not be watched.
    public var unseenNew: UInt64 = 0

    public init() {}

    /// All of them.
    static var all: [WritableKeyPath<MemLeakCounters, UInt64>] {
        [
            \.allocations, \.frees, \.unmatchedFrees, \.sampledOut, \.filteredOut, \.failed, \.abandoned, \.stacks,
            \.unseenNew,
        ]
    }

    /// The sum of what the CPUs counted.
    package init(records: [memleak_counters]) {
        for record in records {
            allocations &+= record.allocations
            frees &+= record.frees
            unmatchedFrees &+= record.unmatched_frees
            sampledOut &+= record.sampled_out
            filteredOut &+= record.filtered_out
            failed &+= record.failed
            abandoned &+= record.abandoned
            stacks &+= record.stacks
            unseenNew &+= record.unseen_new
        }
    }
}
