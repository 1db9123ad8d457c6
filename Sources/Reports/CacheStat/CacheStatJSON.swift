// SPDX-License-Identifier: Apache-2.0

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
