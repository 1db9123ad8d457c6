// SPDX-License-Identifier: Apache-2.0
import CUnwind
import TraceRecords
import Testing

@testable import Symbols
@testable import Unwind

@Suite struct UnwindRowOrderTests {
    private func row(_ start: UInt64, _ rule: UInt64, length: UInt64 = 1) -> unwind_row {
        unwind_row(start: start, end: start + length, rule: rule)
    }

    private func sorted(_ rows: [unwind_row]) -> [String] {
        var rows = rows
        rows.withUnsafeMutableBufferPointer { CallFrameRows.sort($0) }
        return rows.map { "\($0.start).\($0.rule)" }
    }

    @Test("rows by where they begin; of one place in the order of the entries")
    func sorting() {
        #expect(sorted([]) == [] && sorted([row(1, 1)]) == ["1.1"])
        #expect(sorted([row(1, 1), row(1, 2), row(2, 3)]) == ["1.1", "1.2", "2.3"])
        #expect(sorted([row(2, 1), row(1, 2)]) == ["1.2", "2.1"])
        #expect(
            sorted([row(3, 1), row(1, 2), row(3, 3), row(1, 4), row(2, 5)]) == ["1.2", "1.4", "2.5", "3.1", "3.3"])
    }

    @Test("two lists as one: each in its order, the first's rows before the second's of one place")
    func merging() {
        func merged(_ first: [unwind_row], _ second: [unwind_row]) -> [String] {
            first.withUnsafeBufferPointer { rows in
                let all = MergedRows(rows, second)
                #expect(all.underestimatedCount == first.count + second.count)
                return all.map { "\($0.start).\($0.rule)" }
            }
        }
        #expect(merged([], []) == [] && merged([row(1, 1)], []) == ["1.1"] && merged([], [row(1, 1)]) == ["1.1"])
        #expect(
            merged([row(1, 1), row(3, 1)], [row(1, 2), row(2, 2), row(4, 2)]) == ["1.1", "1.2", "2.2", "3.1", "4.2"])
        #expect(merged([row(5, 1)], [row(1, 2), row(2, 2)]) == ["1.2", "2.2", "5.1"])
        #expect(merged([row(1, 1), row(2, 1)], [row(5, 2)]) == ["1.1", "2.1", "5.2"])
    }

    private func table(_ rows: [unwind_row], chunks: UInt64 = 4) -> UnwindTable {
        UnwindTable(rows: rows, text: 0x1000..<(0x1000 + chunks * UnwindTable.chunkBytes))
    }

    @Test("rows at the borders of chunks: one that ends with a chunk, one that begins with the next, one over both")
    func chunks() {
        let ends = table([row(0x1000, 7, length: 1024), row(0x1400, 8, length: 1)])
        #expect(ends.rule(at: 0x13ff) == 7 && ends.rule(at: 0x1400) == 8 && ends.rule(at: 0x1401) == 0)
        #expect(ends.rule(at: 0xfff) == 0 && ends.rule(at: 0x1000) == 7 && ends.rule(at: 0x2000) == 0)
        // a row of the first chunk, two of the second, that of the others is there already
        #expect(ends.rowCount == 3 && ends.ruleCount == 3 && ends.flaws == .init())
        let over = table([row(0x13ff, 7, length: 2)])
        #expect(over.rule(at: 0x13fe) == 0 && over.rule(at: 0x13ff) == 7 && over.rule(at: 0x1400) == 7)
        #expect(over.rule(at: 0x1401) == 0 && over.rowCount == 4)
        let last = table([row(0x1fff, 7)])
        #expect(last.rule(at: 0x1ffe) == 0 && last.rule(at: 0x1fff) == 7)
    }

    @Test("neighbours of one rule are one row; a chunk of one rule shares its row with others")
    func shared() {
        let one = table([row(0x1000, 7, length: 16), row(0x1010, 7, length: 16)])
        #expect(one.rowCount == 2 && one.rule(at: 0x101f) == 7 && one.rule(at: 0x1020) == 0)
        let plain = table([row(0x1000, 7, length: 4096)])
        #expect(plain.rowCount == 1 && plain.ruleCount == 2 && plain.rule(at: 0x1fff) == 7)
        #expect(table([]).rowCount == 0 && table([]).ruleCount == 1 && table([]).rule(at: 0x1000) == 0)
    }

    @Test("a chunk's rows never lie in two blocks")
    func blocks() {
        // 600 rows each: the second chunk's don't fit behind the first's
        func dense(from start: UInt64, _ count: UInt64) -> [unwind_row] {
            (0..<count).map { place in row(start + place, 7 + place % 2) }
        }
        let rows = dense(from: 0x1000, 600) + dense(from: 0x1400, 600)
        let table = table(rows)
        for row in rows { #expect(table.rule(at: row.start) == row.rule) }
        // index, two blocks of rows, one of rules
        #expect(table.rulesBlock == 3 && table.words.count == 4 * UnwindTable.blockWords)
        #expect(table.rowCount == 1202)
        let full = self.table(dense(from: 0x1000, 1023))
        #expect(full.rulesBlock == 3 && full.rule(at: 0x13fe) == 7 && full.rule(at: 0x13ff) == 0)
    }

    @Test("overlapping rows are counted where they begin in covered code, one byte or all of it")
    func overlapping() {
        let touching = table([row(0x1000, 7, length: 16), row(0x1010, 8, length: 16)])
        #expect(touching.flaws.overlapping == 0)
        let one = table([row(0x1000, 7, length: 17), row(0x1010, 8, length: 16)])
        #expect(one.flaws.overlapping == 1 && one.rule(at: 0x1010) == 7 && one.rule(at: 0x1011) == 8)
        let hidden = table([row(0x1000, 7, length: 16), row(0x1008, 8, length: 8)])
        #expect(hidden.flaws.overlapping == 1 && hidden.rule(at: 0x100f) == 7 && hidden.ruleCount == 2)
    }
}
