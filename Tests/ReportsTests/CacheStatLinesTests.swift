// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

@Suite struct CacheStatLines {
    private func row(
        _ pages: PageCacheInterval, isKnown: Bool = true, readahead: ReadaheadUse? = nil,
        contradictions: [String]? = nil
    ) -> CacheStatRow {
        let vmstat = isKnown ? "workingset_refault_file 11\n" : ""
        return CacheStatRow(
            time: WallTime(nanoseconds: 0), intervalNanoseconds: 1_000_000_000, pages: pages, readahead: readahead,
            sees: .init(accesses: isKnown, evictions: isKnown),
            memory: MemoryInfo(meminfo: isKnown ? "Buffers: 1536 kB\nCached: 2560 kB\n" : ""),
            vmstat: VMStat(vmstat: vmstat, pageBytes: 4096), contradictions: contradictions, losses: Losses())
    }

    @Test("headings and rows with each optional column: known, nothing, unknown, wider than the columns")
    func golden() throws {
        let pages = PageCacheInterval(
            readAccess: 900, faultAccess: 101, misses: 300, readahead: 80, dirty: 40, writeAllocated: 13, evicted: 6)
        let huge = PageCacheInterval(
            readAccess: 12_345_678_901, faultAccess: 12_345_678_901, misses: 12_345_678_900, readahead: 12_345_678_900,
            dirty: 1_234_567_890, evicted: 12_345_678_901)
        let rows = [
            row(pages, readahead: ReadaheadUse(usedPages: 70, droppedPages: 4)), row(PageCacheInterval()),
            row(pages, isKnown: false), row(huge),
        ]
        let layouts = [
            CacheStatText(), CacheStatText(timestamps: true), CacheStatText(wide: true), CacheStatText(readahead: true),
            CacheStatText(timestamps: true, wide: true, readahead: true),
        ]
        let clock = WallTime(nanoseconds: 0).clockTime
        let lines = layouts.flatMap { layout in [layout.header] + rows.map(layout.line) }
        try GoldenFile("cachestat.txt").expect(lines.map { $0.replacing(clock, with: "HH:MM:SS") })
    }

    @Test("what contradicts stands behind the row, a line each")
    func remarks() {
        #expect(CacheStatText().remarks(row(PageCacheInterval())).isEmpty)
        #expect(CacheStatText().remarks(row(PageCacheInterval(), contradictions: [])).isEmpty)
        #expect(
            CacheStatText().remarks(row(PageCacheInterval(), contradictions: ["a", "b"])) == ["vmstat: a", "vmstat: b"])
    }
}

/// What one reading has too much, the next gives back, to the page.
@Suite struct PageCacheCarries {
    private func counts(
        inserted: UInt64 = 0, written: UInt64 = 0, demanded: UInt64 = 0, fault: UInt64 = 0
    ) -> PageCacheCounters {
        var counts = PageCacheCounters()
        (counts.inserted, counts.writeAllocated, counts.demanded, counts.faultAccess) = (
            inserted, written, demanded, fault
        )
        return counts
    }

    @Test("as many written as inserted: no misses, nothing owed")
    func written() {
        var carry = PageCacheCarry()
        #expect(carry.interval(of: counts(inserted: 5, written: 5)).missPages == 0)
        #expect(carry.isEmpty)
        #expect(carry.interval(of: counts(inserted: 6, written: 5)).missPages == 1)
        #expect(carry.isEmpty)
        #expect(carry.interval(of: counts(inserted: 4, written: 5)).missPages == 0)
        #expect(!carry.isEmpty)
        #expect(carry.interval(of: counts(inserted: 3)).missPages == 2)
        #expect(carry.isEmpty)
    }

    @Test("demanded pages: read ahead is what nothing asked for, now or before")
    func demanded() {
        var carry = PageCacheCarry()
        #expect(carry.interval(of: counts(inserted: 8, demanded: 3)).readaheadMissPages == 5)
        #expect(carry.isEmpty)
        #expect(carry.interval(of: counts(inserted: 8, demanded: 8)).readaheadMissPages == 0)
        #expect(carry.isEmpty)
        #expect(carry.interval(of: counts(inserted: 8, demanded: 9)).readaheadMissPages == 0)
        #expect(!carry.isEmpty)
        #expect(carry.interval(of: counts(inserted: 8)).readaheadMissPages == 7)
        #expect(carry.isEmpty)
    }

    @Test("faults that were taken back: the next interval's pay for them")
    func faults() {
        var carry = PageCacheCarry()
        #expect(carry.interval(of: counts(fault: 0 &- 1)).faultAccessPages == 0)
        #expect(!carry.isEmpty)
        #expect(carry.interval(of: counts()).faultAccessPages == 0)
        #expect(!carry.isEmpty)
        #expect(carry.interval(of: counts(fault: 1)).faultAccessPages == 0)
        #expect(carry.isEmpty)
        #expect(carry.interval(of: counts(fault: 3)).faultAccessPages == 3)
    }

    @Test("counters are decoded, summed and subtracted field by field")
    func fields() {
        func numbered(_ base: UInt64) -> PageCacheCounters {
            var counts = PageCacheCounters()
            (counts.readAccess, counts.faultAccess, counts.inserted) = (base, 2 * base, 3 * base)
            (counts.writeAllocated, counts.demanded, counts.dirtied, counts.removed) = (
                4 * base, 5 * base, 6 * base, 7 * base
            )
            return counts
        }
        var sum = numbered(1)
        sum += numbered(10)
        #expect(sum == numbered(11))
        #expect(sum - numbered(10) == numbered(1))
        var ahead = ReadaheadLedger(from: ReadaheadCounters())
        let exact = ahead.advance(to: ReadaheadCounters(used: 5), pages: PageCacheInterval(misses: 5))
        #expect(exact == ReadaheadUse(usedPages: 0, droppedPages: 0))
        let lying = ahead.advance(to: ReadaheadCounters(used: 7), pages: PageCacheInterval(misses: 1, readahead: 3))
        #expect(lying == ReadaheadUse(usedPages: 2, droppedPages: 0))
    }
}
