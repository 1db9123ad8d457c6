// SPDX-License-Identifier: Apache-2.0
package import TraceRecords

/// What becomes of the pages that are brought in, in the kernel's pages; only ever growing.
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
    package init(records: [readahead_counters]) {
        for record in records {
            used &+= record.used_pages
            dropped &+= record.dropped_pages
        }
    }
}

/// What became of pages that were read ahead, in this interval or before: how many were first used in it, and how many
/// left the cache unused.
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
