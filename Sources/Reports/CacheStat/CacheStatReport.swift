// SPDX-License-Identifier: Apache-2.0

/// One row of cachestat.
public struct CacheStatRow: Hashable, Sendable {
    public let time: WallTime
    public let intervalNanoseconds: UInt64
    public let pages: PageCacheInterval
    /// What became of pages read ahead; nil where that was not asked for or can't be told.
    public let readahead: ReadaheadUse?
    public let sees: Sight
    public let memory: MemoryInfo
    /// What the kernel counted meanwhile, on the whole machine.
    public let vmstat: VMStat
    /// Where that contradicts `pages`; nil where they don't compare, for only some
    /// tasks are looked at.
    public let contradictions: [String]?
    public let losses: Losses

    /// What this kernel lets be seen.
    public struct Sight: Hashable, Sendable {
        /// Accesses: hits and ratios are known only then.
        public var accesses: Bool
        public var evictions: Bool

        public init(accesses: Bool = true, evictions: Bool = true) {
            self.accesses = accesses
            self.evictions = evictions
        }
    }

    public init(
        time: WallTime, intervalNanoseconds: UInt64, pages: PageCacheInterval,
        readahead: ReadaheadUse? = nil, sees: Sight = Sight(), memory: MemoryInfo, vmstat: VMStat = VMStat(),
        contradictions: [String]? = nil, losses: Losses
    ) {
        self.time = time
        self.intervalNanoseconds = intervalNanoseconds
        self.pages = pages
        self.readahead = readahead
        self.sees = sees
        self.memory = memory
        self.vmstat = vmstat
        self.contradictions = contradictions
        self.losses = losses
    }
}

/// cachestat's text: bcc's columns and widths, and behind them those asked for.
public struct CacheStatText: Sendable {
    public var timestamps: Bool
    public var wide: Bool
    public var readahead: Bool

    public init(timestamps: Bool = false, wide: Bool = false, readahead: Bool = false) {
        self.timestamps = timestamps
        self.wide = wide
        self.readahead = readahead
    }

    public var header: String {
        (timestamps ? "TIME".left(8) + " " : "")
            + ["HITS", "MISSES", "DIRTIES", "HITRATIO"].map { $0.right(8) }.joined(separator: " ")
            + " " + "BUFFERS_MB".right(12) + " " + "CACHED_MB".right(10)
            + (wide
                ? ["READ_HIT%", "WRITE_HIT%", "FAULTS", "READAHEAD", "EVICTED", "REFAULTED"]
                    .map { " " + $0.right(10) }.joined() : "")
            + (readahead ? ["DEMANDED", "AHEAD", "USED", "DROPPED"].map { " " + $0.right(9) }.joined() : "")
    }

    public func line(_ row: CacheStatRow) -> String {
        let pages = row.pages, known = row.sees.accesses
        func megabytes(_ bytes: UInt64?) -> String {
            bytes.map { fixed(Double($0) / 1_048_576, 0) } ?? "?"
        }
        func percent(_ ratio: Double?, known: Bool) -> String {
            known ? fixed(100 * (ratio ?? 0), 2) + "%" : "?"
        }
        func count(_ pages: UInt64?) -> String { pages.map(String.init) ?? "?" }
        let demanded = pages.missPages - pages.readaheadMissPages
        return (timestamps ? row.time.clockTime.left(8) + " " : "")
            + [
                count(known ? pages.hitPages : nil), count(pages.missPages),
                count(pages.dirtyPages), percent(pages.hitRatio, known: known),
            ].map { $0.right(8) }.joined(separator: " ")
            + " " + megabytes(row.memory.buffersBytes).right(12) + " "
            + megabytes(row.memory.cachedBytes).right(10)
            + (wide
                ? [
                    percent(pages.hitRatio, known: known),
                    percent(pages.writeHitRatio, known: true),
                    count(known ? pages.faultAccessPages : nil),
                    count(known ? pages.readaheadMissPages : nil),
                    count(row.sees.evictions ? pages.evictedPages : nil),
                    count(row.vmstat.refaultPages),
                ].map { " " + $0.right(10) }.joined() : "")
            + (readahead
                ? [
                    count(known ? demanded : nil), count(known ? pages.readaheadMissPages : nil),
                    count(row.readahead?.usedPages), count(row.readahead?.droppedPages),
                ].map { " " + $0.right(9) }.joined() : "")
    }

    /// Behind a row: where the kernel's own counters say otherwise.
    public func remarks(_ row: CacheStatRow) -> [String] {
        (row.contradictions ?? []).map { "vmstat: " + $0 }
    }
}

/// cachestat's JSON; Docs/tools/cachestat.md has the schema.
public enum CacheStatJSON {
    public static func line(_ row: CacheStatRow) -> JSONLine {
        let pages = row.pages, known = row.sees.accesses
        var line = JSONLine(type: "cachestat")
        line.add("time", row.time.rfc3339)
        line.add("interval_ns", row.intervalNanoseconds)
        line.add("hit_pages", known ? pages.hitPages : nil)
        line.add("miss_pages", pages.missPages)
        line.add("dirty_pages", pages.dirtyPages)
        line.add("hit_ratio", known ? pages.hitRatio : nil)
        line.add("write_hit_ratio", pages.writeHitRatio)
        line.add("buffers_bytes", row.memory.buffersBytes)
        line.add("cached_bytes", row.memory.cachedBytes)
        line.add("read_access_pages", known ? pages.readAccessPages : nil)
        line.add("fault_access_pages", known ? pages.faultAccessPages : nil)
        line.add("readahead_miss_pages", known ? pages.readaheadMissPages : nil)
        line.add("readahead_used_pages", row.readahead?.usedPages)
        line.add("readahead_dropped_pages", row.readahead?.droppedPages)
        line.add("write_alloc_pages", pages.writeAllocatedPages)
        line.add("evicted_pages", row.sees.evictions ? pages.evictedPages : nil)
        line.add("refault_pages", row.vmstat.refaultPages)
        line.add("vmstat_read_pages", row.vmstat.readPages)
        line.add("vmstat_dirtied_pages", row.vmstat.dirtiedPages)
        line.add("vmstat_refault_pages", row.vmstat.refaultPages)
        line.add("disagrees", row.contradictions.map { !$0.isEmpty })
        line.add("losses", row.losses.json)
        return line
    }
}
