// SPDX-License-Identifier: Apache-2.0
public import TraceRecords

/// The one accounting of the page cache, in pages of 4 KiB:
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
/// Of these, per interval:
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

    public init(record: pagecache_counters) {
        readAccess = record.read_access_pages
        faultAccess = record.fault_access_pages
        inserted = record.inserted_pages
        writeAllocated = record.write_alloc_pages
        demanded = record.demanded_pages
        dirtied = record.dirtied_pages
        removed = record.removed_pages
    }

    /// The sum of what the CPUs counted.
    public init(records: [pagecache_counters]) {
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

/// What happened between two readings of the counters.
public struct PageCacheInterval: Hashable, Sendable {
    public let readAccessPages: UInt64
    public let faultAccessPages: UInt64
    public let missPages: UInt64
    /// Of the misses, those that nothing had asked for yet.
    public let readaheadMissPages: UInt64
    public let dirtyPages: UInt64
    public let writeAllocatedPages: UInt64
    public let evictedPages: UInt64

    public var accessPages: UInt64 { readAccessPages &+ faultAccessPages }

    /// Pages that were accessed and were there: 0 where more came in than was asked for.
    public var hitPages: UInt64 { accessPages > missPages ? accessPages - missPages : 0 }

    /// READ_HIT%, as 0 to 1; nil when nothing was accessed nor brought in.
    public var hitRatio: Double? {
        let total = hitPages + missPages
        return total > 0 ? Double(hitPages) / Double(total) : nil
    }

    /// WRITE_HIT%, as 0 to 1; nil when nothing became dirty.
    public var writeHitRatio: Double? {
        guard dirtyPages > 0 else { return nil }
        let hits = dirtyPages > writeAllocatedPages ? dirtyPages - writeAllocatedPages : 0
        return Double(hits) / Double(dirtyPages)
    }

    /// Did anything happen?
    public var isEmpty: Bool { accessPages | missPages | dirtyPages | evictedPages == 0 }

    /// A measure of how busy it was.
    public var activity: UInt64 { accessPages &+ missPages &+ dirtyPages }

    public init(
        readAccess: UInt64 = 0, faultAccess: UInt64 = 0, misses: UInt64 = 0, readahead: UInt64 = 0,
        dirty: UInt64 = 0, writeAllocated: UInt64 = 0, evicted: UInt64 = 0
    ) {
        readAccessPages = readAccess
        faultAccessPages = faultAccess
        missPages = misses
        readaheadMissPages = readahead
        dirtyPages = dirty
        writeAllocatedPages = writeAllocated
        evictedPages = evicted
    }

    /// Both together; hits and ratios are those of the sums.
    public static func + (a: Self, b: Self) -> Self {
        PageCacheInterval(
            readAccess: a.readAccessPages &+ b.readAccessPages,
            faultAccess: a.faultAccessPages &+ b.faultAccessPages,
            misses: a.missPages &+ b.missPages,
            readahead: a.readaheadMissPages &+ b.readaheadMissPages,
            dirty: a.dirtyPages &+ b.dirtyPages,
            writeAllocated: a.writeAllocatedPages &+ b.writeAllocatedPages,
            evicted: a.evictedPages &+ b.evictedPages)
    }
}

/// Turns readings of the growing counters into intervals.
public struct PageCacheLedger: Sendable {
    private var last: PageCacheCounters
    private var carry = PageCacheCarry()

    public init(from start: PageCacheCounters) { last = start }

    /// What happened since the last reading.
    public mutating func advance(to now: PageCacheCounters) -> PageCacheInterval {
        defer { last = now }
        return carry.settle(now - last)
    }
}

/// What one interval counted and a later one takes back: a folio is inserted before
/// it is dirtied, a fault's pages are mapped before their file is named, and a
/// reading may fall between.
public struct PageCacheCarry: Hashable, Sendable {
    private var written: UInt64 = 0
    private var demanded: UInt64 = 0
    private var faults: UInt64 = 0

    public init() {}

    public var isEmpty: Bool { self == PageCacheCarry() }

    /// An interval's counts, less what earlier ones had too much.
    public mutating func settle(_ counts: PageCacheCounters) -> PageCacheInterval {
        // pages moved to another key make this one's wrapping sum negative
        let faultSum = Int64(bitPattern: counts.faultAccess) - Int64(clamping: faults)
        faults = faultSum < 0 ? faultSum.magnitude : 0
        let owed = counts.writeAllocated &+ written
        let misses = counts.inserted > owed ? counts.inserted - owed : 0
        written = counts.inserted > owed ? 0 : owed - counts.inserted
        let asked = counts.demanded &+ demanded
        demanded = asked > misses ? asked - misses : 0
        return PageCacheInterval(
            readAccess: counts.readAccess, faultAccess: UInt64(max(0, faultSum)), misses: misses,
            readahead: misses - min(asked, misses), dirty: counts.dirtied,
            writeAllocated: counts.writeAllocated, evicted: counts.removed)
    }
}

/// What becomes of the pages that are brought in, in pages of 4 KiB; only ever growing.
public struct ReadaheadCounters: Hashable, Sendable {
    /// Accessed for the first time, those that an access had demanded too.
    public var used: UInt64 = 0
    /// Removed without having been accessed.
    public var dropped: UInt64 = 0

    public init(used: UInt64 = 0, dropped: UInt64 = 0) {
        self.used = used
        self.dropped = dropped
    }

    /// The sum of what the CPUs counted.
    public init(records: [readahead_counters]) {
        for record in records {
            used &+= record.used_pages
            dropped &+= record.dropped_pages
        }
    }
}

/// Of the pages read ahead, in this interval or before: those first used in it, and
/// those that left the cache unused.
public struct ReadaheadUse: Hashable, Sendable {
    public let usedPages: UInt64
    public let droppedPages: UInt64

    public init(usedPages: UInt64, droppedPages: UInt64) {
        self.usedPages = usedPages
        self.droppedPages = droppedPages
    }
}

/// Turns readings of `ReadaheadCounters` into intervals.
public struct ReadaheadLedger: Sendable {
    private var last: ReadaheadCounters
    /// Demanded pages that have not been seen used yet.
    private var owed: UInt64 = 0

    public init(from start: ReadaheadCounters) { last = start }

    /// - Parameter pages: the same interval's accesses, which tell the demanded pages.
    public mutating func advance(to now: ReadaheadCounters, pages: PageCacheInterval) -> ReadaheadUse {
        defer { last = now }
        owed &+= pages.missPages - min(pages.missPages, pages.readaheadMissPages)
        let used = now.used &- last.used, demanded = min(used, owed)
        owed -= demanded
        return ReadaheadUse(usedPages: used - demanded, droppedPages: now.dropped &- last.dropped)
    }
}
