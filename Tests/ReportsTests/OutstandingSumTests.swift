// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

@Suite struct OutstandingSums {
    private func add(_ total: AllocationTotal, rate: UInt64) -> OutstandingSum {
        var table = OutstandingTable(youngest: 0, weight: .oneIn(rate))
        table.add(total: total, pid: 1, stack: 1)
        return table.total
    }

    @Test("the kernel's sums at a rate: multiplied, with an error of the count alone")
    func totals() {
        let exact = add(AllocationTotal(bytes: 300, count: 3), rate: 1)
        #expect(exact.bytes == 300 && exact.count == 3 && !exact.isEstimated)
        let two = add(AllocationTotal(bytes: 300, count: 8), rate: 2)
        // variance: 8 × 2 × 1
        #expect(two.bytes == 600 && two.count == 16 && two.isEstimated && two.countError == 4 && two.bytesError == nil)
        var table = OutstandingTable(youngest: 0)
        table.add(total: AllocationTotal(bytes: 1, count: 1), pid: 1, stack: 1, isEstimated: true)
        table.add(total: AllocationTotal(bytes: 1, count: 1), pid: 1, stack: 1)
        #expect(table.total.isEstimated && table.total.bytesError == nil && table.total.countError == nil)
        #expect(table.total.bytes == 2 && table.total.count == 2 && table.total.oldestTime == nil)
        #expect(
            AllocationTotal(records: [memleak_total(bytes: 5, count: 2), memleak_total(bytes: 6, count: -1)])
                == AllocationTotal(bytes: 11, count: 1))
    }

    @Test("blocks at a rate: exact at one, estimated from two on")
    func rates() {
        for (rate, isEstimated) in [(1, false), (2, true)] as [(UInt64, Bool)] {
            var table = OutstandingTable(youngest: 5, weight: .oneIn(rate))
            table.add(pid: 1, address: 1, bytes: 10, time: 5, stack: 1)
            table.add(pid: 1, address: 2, bytes: 10, time: 6, stack: 1)
            #expect(table.total.bytes == 10 * rate && table.total.count == rate)
            #expect(table.total.isEstimated == isEstimated && table.total.oldestTime == 5 && table.blocks.isEmpty)
            // (1 - 1/2) / (1/2)² = 2: 2 × 10², 2 × 1
            #expect(table.total.bytesError == (isEstimated ? 14 : nil))
            #expect(table.total.countError == (isEstimated ? 1 : nil))
        }
    }

    @Test("samples by bytes: fractions are kept until they are whole; nothing counts as one byte")
    func distances() {
        var table = OutstandingTable(youngest: 9, weight: .distance(1))
        // probability 1 - 1/e = 0.632: each of one byte stands for 1.58
        for address in 0..<3 as Range<UInt64> { table.add(pid: 1, address: address, bytes: 1, time: 1, stack: 1) }
        #expect(table.total.bytes == 4 && table.total.count == 4)
        // 3 × (1 - p) / p² = 2.76
        #expect(table.total.bytesError == 2 && table.total.countError == 2)
        var nothing = OutstandingTable(youngest: 9, weight: .distance(1))
        for address in 0..<3 as Range<UInt64> { nothing.add(pid: 1, address: address, bytes: 0, time: 1, stack: 1) }
        #expect(nothing.total.bytes == 0 && nothing.total.count == 4 && nothing.total.bytesError == 0)
    }

    @Test("an own weight goes before the table's; a ledger's pieces never have one")
    func weights() {
        var table = OutstandingTable(youngest: 9, weight: .oneIn(4), keepsBlocks: true)
        table.add(pid: 1, address: 1, bytes: 3, time: 9, stack: 1, weight: .oneIn(2))
        #expect(table.total.bytes == 6)
        var ledger = MappingLedger(pageSize: 4096)
        ledger.map(pid: 1, address: 0x10000, length: 4096, time: 9, stack: 2)
        ledger.map(pid: 1, address: 0x20000, length: 4096, time: 10, stack: 2)
        ledger.map(pid: 2, address: 0x20000, length: 4096, time: 10, stack: 2)
        table.add(ledger)
        #expect(table.sites[AllocationSite(pid: 1, stack: 2)]?.bytes == 4096 && table.sites.count == 2)
        #expect(
            table.blocks == [OutstandingBlock(address: 1, bytes: 3), OutstandingBlock(address: 0x10000, bytes: 4096)])
        var ended = OutstandingTable(youngest: 9, ended: [2])
        ended.add(ledger)
        #expect(ended.total.count == 2 && ended.sites[AllocationSite(pid: 2, stack: 2)]?.count == 1)
    }

    @Test("the top: by bytes or by count, then by the other, then by pid and stack; at most as many as asked for")
    func top() {
        var table = OutstandingTable(youngest: 9)
        for (pid, stack, sizes) in [
            (1, 1, [10]), (1, 2, [10]), (2, 1, [5, 5]), (2, 0, [1, 1, 1]), (1, 3, [10]),
        ] as [(UInt32, UInt64, [UInt64])] {
            for size in sizes { table.add(pid: pid, address: 0, bytes: size, time: 1, stack: stack) }
        }
        func keys(_ count: Int, _ order: MemLeakOrder) -> [String] {
            table.top(count, by: order).map { "\($0.site.pid).\($0.site.stack)" }
        }
        #expect(keys(10, .size) == ["2.1", "1.1", "1.2", "1.3", "2.0"])
        #expect(keys(10, .count) == ["2.0", "2.1", "1.1", "1.2", "1.3"])
        #expect(keys(2, .size) == ["2.1", "1.1"] && keys(0, .size).isEmpty)
    }
}
