// SPDX-License-Identifier: Apache-2.0
import Reports
import Testing

@Suite struct PageCacheArithmetic {
    private func counters(
        read: UInt64 = 0, fault: UInt64 = 0, inserted: UInt64 = 0, written: UInt64 = 0, dirtied: UInt64 = 0
    ) -> PageCacheCounters {
        var counters = PageCacheCounters()
        counters.readAccess = read
        counters.faultAccess = fault
        counters.inserted = inserted
        counters.writeAllocated = written
        counters.dirtied = dirtied
        return counters
    }

    @Test("demanded pages are no readahead, however late their use is seen")
    func readaheadUse() {
        var ledger = ReadaheadLedger(from: ReadaheadCounters(used: 100, dropped: 7))
        let first = ledger.advance(
            to: ReadaheadCounters(used: 130, dropped: 7), pages: PageCacheInterval(misses: 64, readahead: 24))
        // 40 were demanded, 30 of them seen used; 10 are owed
        #expect(first == ReadaheadUse(usedPages: 0, droppedPages: 0))
        let second = ledger.advance(
            to: ReadaheadCounters(used: 160, dropped: 11), pages: PageCacheInterval())
        #expect(second == ReadaheadUse(usedPages: 20, droppedPages: 4))
    }

    @Test("cold, warm and written pages")
    func kinds() {
        var ledger = PageCacheLedger(from: counters())
        let cold = ledger.advance(to: counters(read: 100, inserted: 100))
        #expect((cold.hitPages, cold.missPages, cold.hitRatio) == (0, 100, 0))
        let warm = ledger.advance(to: counters(read: 150, fault: 50, inserted: 100))
        #expect((warm.hitPages, warm.missPages, warm.hitRatio) == (100, 0, 1))
        let written = ledger.advance(to: counters(read: 150, fault: 50, inserted: 180, written: 80, dirtied: 80))
        #expect((written.hitPages, written.missPages, written.dirtyPages) == (0, 0, 80))
        #expect(written.hitRatio == nil)
    }

    @Test("more read ahead than asked for: no negative hits")
    func ahead() {
        var ledger = PageCacheLedger(from: counters())
        let row = ledger.advance(to: counters(read: 1, inserted: 32))
        #expect((row.hitPages, row.missPages, row.hitRatio) == (0, 32, 0))
    }

    @Test("what a CPU takes off in the next interval, which has less, is made good in the one after")
    func takenOff() {
        var ledger = PageCacheLedger(from: counters(fault: 100))
        #expect(ledger.advance(to: counters(fault: 148)).faultAccessPages == 48)
        #expect(ledger.advance(to: counters(fault: 133)).faultAccessPages == 0)
        #expect(ledger.advance(to: counters(fault: 165)).faultAccessPages == 17)
    }

    @Test("a reading between a write's insertion and its dirtying is made good in the next")
    func split() {
        var ledger = PageCacheLedger(from: counters())
        #expect(ledger.advance(to: counters(inserted: 16)).missPages == 16)
        #expect(ledger.advance(to: counters(inserted: 26, written: 16, dirtied: 16)).missPages == 0)
        #expect(ledger.advance(to: counters(inserted: 36, written: 16, dirtied: 16)).missPages == 4)
    }
}
