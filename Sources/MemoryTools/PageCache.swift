// SPDX-License-Identifier: Apache-2.0
public import CMemEvents

/// The one accounting of the page cache, in pages of 4 KiB:
///
/// - **access**: a page that a buffered read, splice or sendfile asked for, or that
///   a page fault (with its fault-around) mapped;
/// - **miss**: a page brought in from storage for reading, asked for or read ahead;
/// - **hit**: accesses less misses, never below zero;
/// - **dirty**: a page that became dirty.
///
/// Direct I/O counts in none; pages created by a write are no misses.
public struct PageCacheCounters: Hashable, Sendable {
    public var readAccess: UInt64 = 0
    public var faultAccess: UInt64 = 0
    public var inserted: UInt64 = 0
    public var writeAllocated: UInt64 = 0
    public var dirtied: UInt64 = 0

    public init() {}

    /// The sum of what the CPUs counted.
    public init(records: [cachestat_counters]) {
        for record in records {
            readAccess &+= record.read_access_pages
            faultAccess &+= record.fault_access_pages
            inserted &+= record.inserted_pages
            writeAllocated &+= record.write_alloc_pages
            dirtied &+= record.dirtied_pages
        }
    }
}

/// What happened between two readings of the counters.
public struct PageCacheInterval: Hashable, Sendable {
    public let accessPages: UInt64
    public let readAccessPages: UInt64
    public let faultAccessPages: UInt64
    public let missPages: UInt64
    public let dirtyPages: UInt64

    /// Pages that were accessed and were there: 0 where more came in than was asked for.
    public var hitPages: UInt64 { accessPages > missPages ? accessPages - missPages : 0 }

    /// Hits of accesses, 0 to 1; nil when nothing was accessed nor brought in.
    public var hitRatio: Double? {
        let total = hitPages + missPages
        return total > 0 ? Double(hitPages) / Double(total) : nil
    }
}

/// Turns readings of the growing counters into intervals.
public struct PageCacheLedger: Sendable {
    private var last: PageCacheCounters
    /// Pages that an interval counted as read, and the next found to be a write's:
    /// a folio is inserted before it is dirtied, and a reading may fall between.
    private var owed: UInt64 = 0

    public init(from start: PageCacheCounters) { last = start }

    /// What happened since the last reading.
    public mutating func advance(to now: PageCacheCounters) -> PageCacheInterval {
        let inserted = now.inserted &- last.inserted
        let written = (now.writeAllocated &- last.writeAllocated) &+ owed
        let misses = inserted > written ? inserted - written : 0
        owed = inserted > written ? 0 : written - inserted
        let reads = now.readAccess &- last.readAccess
        let faults = now.faultAccess &- last.faultAccess
        defer { last = now }
        return PageCacheInterval(
            accessPages: reads &+ faults, readAccessPages: reads, faultAccessPages: faults,
            missPages: misses, dirtyPages: now.dirtied &- last.dirtied)
    }
}
