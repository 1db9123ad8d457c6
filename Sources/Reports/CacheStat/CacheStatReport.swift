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
        var line = TableLine()
        if timestamps { line.left("TIME", 8) }
        line.right(["HITS", "MISSES", "DIRTIES", "HITRATIO"], 8)
        line.right("BUFFERS_MB", 12)
        line.right("CACHED_MB", 10)
        if wide { line.right(["READ_HIT%", "WRITE_HIT%", "FAULTS", "READAHEAD", "EVICTED", "REFAULTED"], 10) }
        if readahead { line.right(["DEMANDED", "AHEAD", "USED", "DROPPED"], 9) }
        return line.text
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
        var line = TableLine()
        if timestamps { line.left(row.time.clockTime, 8) }
        line.right(count(known ? pages.hitPages : nil), 8)
        line.right(count(pages.missPages), 8)
        line.right(count(pages.dirtyPages), 8)
        line.right(percent(pages.hitRatio, known: known), 8)
        line.right(megabytes(row.memory.buffersBytes), 12)
        line.right(megabytes(row.memory.cachedBytes), 10)
        if wide {
            line.right(percent(pages.hitRatio, known: known), 10)
            line.right(percent(pages.writeHitRatio, known: true), 10)
            line.right(count(known ? pages.faultAccessPages : nil), 10)
            line.right(count(known ? pages.readaheadMissPages : nil), 10)
            line.right(count(row.sees.evictions ? pages.evictedPages : nil), 10)
            line.right(count(row.vmstat.refaultPages), 10)
        }
        if readahead {
            line.right(count(known ? pages.missPages - pages.readaheadMissPages : nil), 9)
            line.right(count(known ? pages.readaheadMissPages : nil), 9)
            line.right(count(row.readahead?.usedPages), 9)
            line.right(count(row.readahead?.droppedPages), 9)
        }
        return line.text
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
