// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords
internal import LibBPF
internal import Reports

/// cachetop's maps, read an interval at a time, and the names of what they count.
struct CacheTopReader {
    private let entries: [BPFMap<cachetop_key, cachetop_entry>]
    private let active: MapOfMaps
    private let paths: BPFMap<cachetop_file, cachetop_path>
    private let overflow: PerCPUMap<UInt32, pagecache_counters>
    private var current = 0
    private var carries: [CacheTopUse.Key: PageCacheCarry] = [:]
    private var overflowLedger: PageCacheLedger
    let names = CacheTopNames()

    init(_ object: borrowing LoadedObject) throws(BPFError) {
        entries = [try object.map("entries_0"), try object.map("entries_1")]
        active = try object.mapOfMaps("active")
        paths = try object.map("paths")
        overflow = try object.perCPUMap("overflow")
        overflowLedger = PageCacheLedger(
            from: PageCacheCounters(records: try overflow.values(for: 0) ?? []))
    }

    /// All that was counted since the last time. See BPF/cachetop.bpf.c on why none of
    /// it is lost.
    mutating func collect() throws -> CacheTopInterval {
        let full = current
        current = 1 - current
        try active.set(0, to: entries[current])
        var result: [CacheTopEntry] = []
        var carriesLeft: [CacheTopUse.Key: PageCacheCarry] = [:]
        var carries = self.carries
        try entries[full].drain { key, entry in
            let use = CacheTopUse(key: key, entry: entry)
            var carry = carries.removeValue(forKey: use.key) ?? PageCacheCarry()
            let pages = carry.interval(of: use.counters)
            if !carry.isEmpty { carriesLeft[use.key] = carry }
            result.append(CacheTopEntry(use, pages: pages))
        }
        // one not seen in this interval may still be in the next
        self.carries = carriesLeft
        var fresh: [CachedFilePath] = []
        try paths.drain { file, path in fresh.append(CachedFilePath(file, path)) }
        names.learn(fresh)
        let rest = overflowLedger.advance(
            to: PageCacheCounters(records: try overflow.values(for: 0) ?? []))
        return CacheTopInterval(entries: result, unattributed: rest)
    }
}
