// SPDX-License-Identifier: Apache-2.0

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
