// SPDX-License-Identifier: Apache-2.0
import Reports
import Testing

@Suite struct CacheStatGolden {
    private let row = CacheStatRow(
        time: WallTime(nanoseconds: 0), intervalNanoseconds: 1_000_000_000,
        pages: {
            var ledger = PageCacheLedger(from: PageCacheCounters())
            var now = PageCacheCounters()
            now.readAccess = 1000
            now.inserted = 250
            now.dirtied = 7
            return ledger.advance(to: now)
        }(),
        memory: MemoryInfo(meminfo: "Buffers:     2048 kB\nCached:   1048576 kB\n"), losses: Losses())

    @Test func text() {
        #expect(CacheStatText().header == "    HITS   MISSES  DIRTIES HITRATIO   BUFFERS_MB  CACHED_MB")
        #expect(CacheStatText().line(row) == "     750      250        7   75.00%            2       1024")
    }

    @Test("with the time, wide, and with what was read ahead: titles over their columns")
    func options() {
        let text = CacheStatText(timestamps: true, wide: true, readahead: true)
        #expect(
            text.header
                == "TIME         HITS   MISSES  DIRTIES HITRATIO   BUFFERS_MB  CACHED_MB  READ_HIT% WRITE_HIT%     FAULTS  READAHEAD    EVICTED  REFAULTED  DEMANDED     AHEAD      USED   DROPPED"
        )
        let line = text.line(row)
        #expect(line.hasPrefix(row.time.clockTime + "      750      250        7   75.00%            2       1024"))
        #expect(line.count == text.header.count)
    }

    @Test func json() {
        let text = CacheStatJSON.line(row).checkedText()
        #expect(
            text.hasPrefix(
                #"{"type":"cachestat","time":"1970-01-01T00:00:00.000000000Z","interval_ns":1000000000,"hit_pages":750,"miss_pages":250,"dirty_pages":7,"hit_ratio":0.75,"write_hit_ratio":1.0,"buffers_bytes":2097152,"cached_bytes":1073741824"#
            ))
    }

    @Test(
        "meminfo that is garbage, cut or overflowing gives nothing, not a crash",
        arguments: [
            "", "Buffers:", "Buffers: x kB", "Cached: 99999999999999999999 kB", "Cached: 18446744073709551615 kB",
            "\0\0\0", "Buffers: -1 kB\nCached:\n",
        ])
    func hostile(text: String) {
        let info = MemoryInfo(meminfo: text)
        #expect(info.buffersBytes == nil)
        #expect(info.cachedBytes == nil)
    }
}
