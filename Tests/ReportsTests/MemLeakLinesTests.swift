// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

@Suite struct MemLeakLines {
    private func sum(_ bytes: UInt64, _ count: UInt64, oldest: UInt64? = nil, variances: (Double, Double)? = nil)
        -> OutstandingSum
    {
        var sum = OutstandingSum()
        (sum.bytes, sum.count, sum.oldestTime) = (bytes, count, oldest)
        if let variances {
            sum.isEstimated = true
            (sum.bytesVariance, sum.countVariance) = variances
        }
        return sum
    }

    private func report(
        _ stacks: [MemLeakStack] = [], blocks: [OutstandingBlock] = [], counters: MemLeakCounters = MemLeakCounters(),
        total: OutstandingSum = OutstandingSum(), rate: UInt64 = 1, distance: UInt64? = nil,
        kernel: KernelLeakCounters? = nil, gone: OutstandingSum = OutstandingSum()
    ) -> MemLeakReport {
        MemLeakReport(
            time: WallTime(nanoseconds: 0), monotonic: 1000, stacks: stacks, total: total, siteCount: stacks.count,
            blocks: blocks, counters: counters, losses: Losses(), sampleRate: rate, sampleBytes: distance,
            kernel: kernel, gone: gone)
    }

    private func counters(_ change: (inout MemLeakCounters) -> Void) -> MemLeakCounters {
        var counters = MemLeakCounters()
        change(&counters)
        return counters
    }

    private var frames: [MemLeakFrame] {
        [
            MemLeakFrame(address: 0x10, symbol: "f", offset: 0),
            MemLeakFrame(address: .max, symbol: "long name", offset: 255, module: "/usr/lib/libx.so.6"),
            MemLeakFrame(address: 0x1000, symbol: "g", offset: 1, module: "[vdso]", file: "a.c"),
            MemLeakFrame(address: 0x1000, symbol: "g", offset: 1, module: "app", file: "a.c", line: 7),
            MemLeakFrame(address: 0x1000, module: "/"),
            MemLeakFrame(address: 0x1000, symbol: "h\n", module: "/x/"),
        ]
    }

    @Test(
        "whole reports: no stack, one, several; blocks of one size; every end of a stack; addresses and pids left out")
    func golden() throws {
        let ends: [StackEnd?] = [nil] + StackEnd.allCases
        let several = report(
            ends.enumerated().map { index, end in
                MemLeakStack(pid: UInt32(index), sum: sum(100, 1), frames: [frames[0]], end: end)
            } + [
                MemLeakStack(
                    pid: nil, sum: sum(1, 1), frames: [],
                    kernel: KernelMemory(kind: .cache, cache: "a\u{1b}", falseLeaksPossible: true)),
                MemLeakStack(pid: nil, sum: sum(1, 1), frames: nil, kernel: KernelMemory(kind: .pages)),
            ],
            blocks: [(9, 8), (7, 8), (8, 4)].map { OutstandingBlock(address: $0.0, bytes: $0.1) })
        let one = report([MemLeakStack(pid: 7, sum: sum(4096, 2), frames: frames)])
        let texts = [
            MemLeakText(top: 10), MemLeakText(top: 1, showsAddresses: false), MemLeakText(top: 0, showsPIDs: true),
        ]
        let lines = texts.flatMap { text in [report(), one, several].flatMap(text.lines) }
        let clock = WallTime(nanoseconds: 0).clockTime
        try GoldenFile("memleak.txt").expect(lines.map { $0.replacing(clock, with: "HH:MM:SS") })
    }

    @Test("each remark of the accounting for itself: there from one on, not at nothing")
    func remarks() {
        let text = MemLeakText(top: 1)
        #expect(text.accounting(report()).isEmpty)
        let one = counters { ($0.unmatchedFrees, $0.unseenNew, $0.abandoned) = (1, 1, 1) }
        #expect(
            text.accounting(report(counters: one, gone: sum(5, 1))) == [
                "1 frees without an allocation (made before the trace)",
                "1 calls of operator new not recorded: their failure must stay catchable",
                "5 bytes in 1 allocations gone with processes that ended or called exec",
                "1 calls left without returning",
            ])
        #expect(
            text.accounting(report(counters: counters { $0.sampledOut = 6 }, rate: 2)) == [
                "estimated: 1 allocation in 2 sampled, 6 passed over; "
                    + "a stack of fewer than 6 allocations may be missing"
            ])
        #expect(
            text.accounting(report(counters: counters { $0.sampledOut = 6 }, distance: 4096)) == [
                "estimated: a sample every 4096 bytes, 6 allocations passed over"
            ])
        #expect(
            text.accounting(report(total: sum(9, 3, variances: (16, 4)))) == [
                "outstanding: 9 ± 4 bytes in 3 ± 2 allocations (standard errors)"
            ])
    }

    @Test("frees without an allocation are said only where each allocation was to be seen")
    func unmatched() {
        let some = counters { $0.unmatchedFrees = 2 }
        let filtered = counters { ($0.unmatchedFrees, $0.filteredOut) = (2, 1) }
        func says(_ report: MemLeakReport) -> Bool {
            MemLeakText(top: 1).accounting(report).contains { $0.hasPrefix("2 frees without") }
        }
        #expect(says(report(counters: some)))
        #expect(!says(report(counters: some, rate: 2)))
        #expect(!says(report(counters: some, distance: 1)))
        #expect(!says(report(counters: filtered)))
        let kernel = KernelLeakCounters()
        #expect(
            MemLeakText(top: 1).accounting(report(counters: some, kernel: kernel)) == [
                "2 frees without an allocation (made before the trace, or in bulk)"
            ])
    }

    @Test("what the kernel's programs did not see: caches by name, eight at most")
    func kernelRemarks() {
        func lines(_ change: (inout KernelLeakCounters) -> Void) -> [String] {
            var counters = KernelLeakCounters()
            change(&counters)
            return counters.lines
        }
        #expect(lines { _ in }.isEmpty)
        let eight = (1...8).map { "c\($0)" }
        #expect(
            lines { ($0.unseenFrees, $0.unseenCaches) = (1, eight) } == [
                "1 frees not seen: their addresses were given out again (c1 c2 c3 c4 c5 c6 c7 c8)"
            ])
        #expect(
            lines { ($0.unseenFrees, $0.unseenCaches) = (1, eight + ["c9"]) } == [
                "1 frees not seen: their addresses were given out again (c1 c2 c3 c4 c5 c6 c7 c8 …)"
            ])
        #expect(lines { $0.unseenFrees = 1 } == ["1 frees not seen: their addresses were given out again"])
        #expect(lines { $0.cutStacks = 1 } == ["1 stacks deeper than 96 frames: the outermost are missing"])
        for (seesBulk, unseen, possible) in [(true, 0, false), (false, 0, true), (true, 1, true)]
            as [(Bool, UInt64, Bool)]
        {
            var counters = KernelLeakCounters()
            (counters.seesBulk, counters.unseenFrees) = (seesBulk, unseen)
            var line = JSONLine()
            counters.add(to: &line)
            #expect(line.text().hasPrefix(#"{"false_leaks_possible":\#(possible),"bulk_frees_seen":\#(seesBulk),"#))
        }
    }

    @Test("the age of the oldest: never below zero, null where it is not known")
    func ages() {
        for (oldest, text) in [(999, "1"), (1000, "0"), (1001, "0"), (0, "1000"), (nil, "null")] as [(UInt64?, String)]
        {
            let stack = MemLeakStack(pid: 1, sum: sum(1, 1, oldest: oldest), frames: nil)
            let report = report([stack])
            let line = MemLeakJSON.line(stack, time: report.time, monotonic: report.monotonic).checkedText()
            #expect(line.contains(#""oldest_ns":\#(text),"#))
        }
    }

    @Test("sampling, hooks: their records")
    func progress() {
        func text(_ elapsed: Double, _ rate: Double, columns: Int = 200) -> String {
            MemLeakProgress(elapsed: elapsed, callsPerSecond: rate, bytes: nil, count: 0, lost: 0).text(
                columns: columns)
        }
        #expect(text(9.99, 0) == "00:00:09 0 calls/s, 0 lost")
        #expect(text(10, 0.5) == "00:00:10 1 calls/s, 0 lost")
        #expect(text(59.9, 0.4) == "00:00:59 0 calls/s, 0 lost")
        #expect(text(60, 1) == "00:01:00 1 calls/s, 0 lost")
        #expect(text(3599, 2) == "00:59:59 2 calls/s, 0 lost")
        #expect(text(3600, 2) == "01:00:00 2 calls/s, 0 lost")
        #expect(text(35_999, 2) == "09:59:59 2 calls/s, 0 lost")
        #expect(text(36_000, 2) == "10:00:00 2 calls/s, 0 lost")
        #expect(text(360_000, 2) == "100:00:00 2 calls/s, 0 lost")
        #expect(text(-5, -5) == "00:00:00 0 calls/s, 0 lost")
        #expect(text(0, 0, columns: 26) == "00:00:00 0 calls/s, 0 los")
        #expect(text(0, 0, columns: 27) == "00:00:00 0 calls/s, 0 lost")
        #expect(text(0, 0, columns: 2) == "0" && text(0, 0, columns: 1).isEmpty && text(0, 0, columns: -1).isEmpty)
    }

    @Test("a call's line: commands and threads in columns")
    func calls() {
        let call = MemLeakCall(
            kind: .free, time: monotonicNow(), pid: 1, tid: 77, comm: "sh\u{1b}", address: 0xabc, bytes: 0,
            isRecorded: true)
        #expect(call.text.dropFirst(8) == " sh\\x1b           77      free entered, address = abc, size = 0")
    }
}

@Suite struct MemLeakRecords {
    private func event(
        _ kind: memleak_kind, _ operation: memleak_op, _ change: (inout memleak_event) -> Void = { _ in }
    ) -> MemLeakEvent? {
        var record = memleak_event()
        (record.kind, record.op, record.pid, record.tid, record.parent) = (kind.rawValue, operation.rawValue, 5, 6, 4)
        (record.time_ns, record.enter_ns, record.stack, record.recorded) = (20, 10, 99, 1)
        (record.address, record.length, record.result, record.new_length) = (0x1000, 0x2000, 0x3000, 0x4000)
        withUnsafeMutableBytes(of: &record.comm) { $0.copyBytes(from: "app".utf8) }
        change(&record)
        return MemLeakEvent(bytesOf: record)
    }

    @Test("mappings: what changes, and whether it counts")
    func mappings() throws {
        func mapping(_ operation: memleak_op, _ change: (inout memleak_event) -> Void = { _ in }) throws -> MappingCall
        {
            guard case .mapping(let call)? = event(MEMLEAK_MAPPING, operation, change) else { throw NotDecoded() }
            return call
        }
        let made = try mapping(MEMLEAK_MMAP)
        #expect(made.change == .mapped(address: 0x3000, length: 0x2000, granule: nil))
        #expect(made.pid == 5 && made.begun == 10 && made.time == 20 && made.stack == 99 && made.isRecorded)
        #expect(try !mapping(MEMLEAK_MMAP) { $0.recorded = 0 }.isRecorded)
        let huge = try mapping(MEMLEAK_MMAP) { $0.map_flags = 0x40000 | 16 << 26 }
        #expect(huge.change == .mapped(address: 0x3000, length: 0x2000, granule: 65536))
        #expect(try mapping(MEMLEAK_MUNMAP).change == .unmapped(address: 0x1000, length: 0x2000))
        for (flags, keeps) in [(3, false), (4, true), (5, true), (8, false)] as [(UInt64, Bool)] {
            let moved = try mapping(MEMLEAK_MREMAP) { $0.map_flags = .init(flags) }
            #expect(
                moved.change
                    == .remapped(
                        address: 0x1000, length: 0x2000, newAddress: 0x3000, newLength: 0x4000, keepsOld: keeps))
        }
    }

    @Test("calls that are shown: frees by their address, others by their result; mremap's new length")
    func traced() throws {
        func call(_ operation: memleak_op) throws -> MemLeakCall {
            guard case .traced(let call)? = event(MEMLEAK_TRACED, operation) else { throw NotDecoded() }
            return call
        }
        for operation in [MEMLEAK_FREE, MEMLEAK_MUNMAP] {
            let free = try call(operation)
            #expect(free.kind == .free && free.address == 0x1000 && free.bytes == 0x2000)
        }
        for operation in [MEMLEAK_SIZE, MEMLEAK_MMAP] {
            let made = try call(operation)
            #expect(made.kind == .allocation && made.address == 0x3000 && made.bytes == 0x2000)
        }
        let moved = try call(MEMLEAK_MREMAP)
        #expect(moved.kind == .allocation && moved.address == 0x3000 && moved.bytes == 0x4000)
        #expect(moved.time == 20 && moved.pid == 5 && moved.tid == 6 && moved.comm == "app" && moved.isRecorded)
    }

    @Test("what becomes of processes")
    func processes() {
        #expect(event(MEMLEAK_FORKED, MEMLEAK_SIZE) == .forked(pid: 5, parent: 4))
        #expect(event(MEMLEAK_EXECED, MEMLEAK_SIZE) == .execed(pid: 5, comm: "app", time: 20, isNarrow: true))
        #expect(event(MEMLEAK_EXITED, MEMLEAK_SIZE) == .exited(pid: 5, time: 20))
        #expect(event(MEMLEAK_UNMAPPED, MEMLEAK_SIZE) == .unmapped(pid: 5))
    }

    @Test("huge pages: the flag, and the six bits of the size")
    func granules() {
        #expect(MappingCall.granule(flags: 21 << 26) == nil)
        #expect(MappingCall.granule(flags: 0x20000 | 21 << 26) == nil && MappingCall.granule(flags: 0x80000) == nil)
        #expect(MappingCall.granule(flags: 0x40000) == 2_097_152)
        #expect(MappingCall.granule(flags: 0x40000 | 1 << 26) == 2)
        #expect(MappingCall.granule(flags: 0x40000 | 16 << 26) == 65536)
        #expect(MappingCall.granule(flags: 0x40000 | 63 << 26) == 1 << 63)
        #expect(MappingCall.granule(flags: 0x40000 | 1 << 32) == 2 << 20)
    }

    @Test("calls applied to the ledger: those that don't count map nothing, and take away what they replace")
    func applied() {
        func call(_ change: MappingCall.Change, isRecorded: Bool, begun: UInt64 = 50) -> MappingCall {
            MappingCall(pid: 1, begun: begun, time: begun + 1, stack: 3, isRecorded: isRecorded, change: change)
        }
        var ledger = MappingLedger(pageSize: 4096)
        ledger.apply(call(.mapped(address: 0x10000, length: 1, granule: nil), isRecorded: false))
        #expect(ledger.pieces(of: 1).isEmpty && ledger.pids.isEmpty)
        ledger.apply(call(.mapped(address: 0x10000, length: 4097, granule: nil), isRecorded: true))
        ledger.apply(call(.mapped(address: 0x80000, length: 1, granule: 8192), isRecorded: true))
        #expect(ledger.pieces(of: 1).map(\.length) == [8192, 8192] && ledger.pids == [1])
        // begun just when the mapping had returned: it may be a later one
        ledger.apply(call(.unmapped(address: 0x10000, length: 4096), isRecorded: true, begun: 51))
        #expect(ledger.pieces(of: 1).map(\.length) == [8192, 8192])
        ledger.apply(call(.unmapped(address: 0x10000, length: 4096), isRecorded: true, begun: 52))
        #expect(ledger.pieces(of: 1).map(\.start) == [0x11000, 0x80000])
        let grown = MappingCall.Change.remapped(
            address: 0x11000, length: 4096, newAddress: 0x80000, newLength: 4096, keepsOld: false)
        ledger.apply(call(grown, isRecorded: false, begun: 60))
        #expect(ledger.pieces(of: 1).map(\.start) == [0x81000])
        ledger.forget(pid: 1)
        #expect(ledger.pids.isEmpty)
    }

    @Test("remapping in place: to the same length, to one page more or less, of nothing")
    func remapped() {
        func ranges(_ length: UInt64, to newLength: UInt64, at address: UInt64 = 0x10000) -> [[UInt64]] {
            var ledger = MappingLedger(pageSize: 4096)
            ledger.map(pid: 1, address: 0x10000, length: 0x4000, time: 1, stack: 7)
            ledger.remap(
                pid: 1, address: 0x10000, length: length, newAddress: address, newLength: newLength, keepsOld: false,
                begun: 2, time: 3, stack: 8, recorded: true)
            return ledger.pieces(of: 1).map { [$0.start, $0.end, $0.stack] }
        }
        #expect(ranges(0x4000, to: 0x4000) == [[0x10000, 0x14000, 7]])
        #expect(ranges(0x4000, to: 0x3fff) == [[0x10000, 0x14000, 7]])
        #expect(ranges(0x4000, to: 0x3000) == [[0x10000, 0x13000, 7]])
        #expect(ranges(0x4000, to: 0x4001) == [[0x10000, 0x15000, 8]])
        #expect(ranges(0x4000, to: 0) == [[0x10000, 0x14000, 7]])
        #expect(ranges(0, to: 0x1000) == [[0x10000, 0x11000, 8], [0x11000, 0x14000, 7]])
        #expect(ranges(1, to: 0x1000, at: 0x30000) == [[0x11000, 0x14000, 7], [0x30000, 0x31000, 8]])
        #expect(ranges(0x4000, to: 0x1000, at: 0x11000) == [[0x11000, 0x12000, 8]])
    }

    @Test("the last page of the address space, and the first that does not exist")
    func top() {
        var ledger = MappingLedger(pageSize: 4096)
        ledger.map(pid: 1, address: 0 &- 8192, length: 4096, time: 1, stack: 1)
        #expect(ledger.pieces(of: 1).map(\.end) == [0 &- 4096])
        ledger.map(pid: 1, address: 0 &- 4096, length: 4096, time: 1, stack: 1)
        ledger.map(pid: 1, address: 0, length: .max - 4094, time: 1, stack: 1)
        #expect(ledger.pieces(of: 1).map(\.end) == [0 &- 4096])
        ledger.map(pid: 2, address: 0, length: .max - 4095, time: 1, stack: 1)
        #expect(ledger.pieces(of: 2).map(\.end) == [0 &- 4096])
    }
}

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
