// SPDX-License-Identifier: Apache-2.0
package import TraceRecords

/// The one accounting of the page cache, in the kernel's pages:
///
/// - **access**: a page that a buffered read, splice or sendfile asked for, or that
///   a page fault (with its fault-around) mapped;
/// - **miss**: a page brought in from storage for reading; **demanded** when a read or
///   a fault asked for it, **read ahead** when not;
/// - **hit**: accesses less misses, never below zero;
/// - **dirty**: a page that became dirty;
/// - **write-allocated**: a page that came into the cache because a write created it;
/// - **evicted**: a page that left the cache: reclaimed, truncated or dropped.
///
/// The ratios of an interval:
///
/// - **READ_HIT%**: of the pages accessed, those that were there: hits / (hits + misses);
/// - **WRITE_HIT%**: of the pages that became dirty, those that were in the cache
///   before: (dirty - write-allocated) / dirty.
///
/// Direct I/O counts in none; pages created by a write are no misses.
public struct PageCacheCounters: Hashable, Sendable {
    public var readAccess: UInt64 = 0
    public var faultAccess: UInt64 = 0
    public var inserted: UInt64 = 0
    public var writeAllocated: UInt64 = 0
    public var demanded: UInt64 = 0
    public var dirtied: UInt64 = 0
    public var removed: UInt64 = 0

    public init() {}

    package init(record: pagecache_counters) {
        readAccess = record.read_access_pages
        faultAccess = record.fault_access_pages
        inserted = record.inserted_pages
        writeAllocated = record.write_alloc_pages
        demanded = record.demanded_pages
        dirtied = record.dirtied_pages
        removed = record.removed_pages
    }

    /// The sum of what the CPUs counted.
    package init(records: [pagecache_counters]) {
        for record in records { self += PageCacheCounters(record: record) }
    }

    public static func += (sum: inout Self, other: Self) { sum = sum.combined(other, &+) }

    public static func - (now: Self, before: Self) -> Self { now.combined(before, &-) }

    private func combined(_ other: Self, _ operation: (UInt64, UInt64) -> UInt64) -> Self {
        var result = Self()
        result.readAccess = operation(readAccess, other.readAccess)
        result.faultAccess = operation(faultAccess, other.faultAccess)
        result.inserted = operation(inserted, other.inserted)
        result.writeAllocated = operation(writeAllocated, other.writeAllocated)
        result.demanded = operation(demanded, other.demanded)
        result.dirtied = operation(dirtied, other.dirtied)
        result.removed = operation(removed, other.removed)
        return result
    }
}
