// SPDX-License-Identifier: Apache-2.0
package import TraceRecords

/// What the programs have added up for one stack; below zero for a moment, where a free overtook its allocation.
public struct AllocationTotal: Hashable, Sendable {
    public private(set) var bytes: Int64 = 0
    public private(set) var count: Int64 = 0

    public init(bytes: Int64, count: Int64) {
        self.bytes = bytes
        self.count = count
    }

    /// The sum of what the CPUs counted.
    package init(records: [memleak_total]) {
        for record in records { add(record.bytes, record.count) }
    }

    private mutating func add(_ bytes: Int64, _ count: Int64) {
        self.bytes &+= bytes
        self.count &+= count
    }
}
