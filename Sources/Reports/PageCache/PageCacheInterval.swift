// SPDX-License-Identifier: Apache-2.0

/// What happened between two readings of the counters.
public struct PageCacheInterval: Hashable, Sendable {
    public let readAccessPages: UInt64
    public let faultAccessPages: UInt64
    public let missPages: UInt64
    /// Misses that nothing had asked for yet.
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
