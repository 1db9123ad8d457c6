// SPDX-License-Identifier: Apache-2.0

/// Turns readings of the growing counters into intervals.
public struct PageCacheLedger: Sendable {
    private var last: PageCacheCounters
    private var carry = PageCacheCarry()

    public init(from start: PageCacheCounters) { last = start }

    /// What happened since the last reading.
    public mutating func advance(to now: PageCacheCounters) -> PageCacheInterval {
        defer { last = now }
        return carry.interval(of: now - last)
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
    public mutating func interval(of counts: PageCacheCounters) -> PageCacheInterval {
        // pages moved to another key, or counted by another CPU (BPF/lib/rss_follow.h), make this wrapping sum negative
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
