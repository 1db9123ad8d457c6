// SPDX-License-Identifier: Apache-2.0
import TraceRecords
import Testing

@testable import Reports

@Suite struct KernelLeakWords {
    private func report(seesBulk: Bool) -> MemLeakReport {
        var table = OutstandingTable(youngest: 100)
        for address in 0..<UInt64(400) {
            table.add(pid: 0, address: address, bytes: 192, time: 10, stack: 7)
        }
        table.add(pid: 0, address: 4096, bytes: 4096, time: 20, stack: 8, weight: .oneIn(16))
        table.add(pid: 0, address: 8192, bytes: 64, time: 101, stack: 9)  // too young
        var record = kernelleak_counters()
        record.calls.allocations = 402
        record.calls.unmatched_frees = 5
        record.bulk_frees = 3
        record.rcu_frees = 2
        record.unseen_frees = 4
        record.rescued_frees = 1
        record.null_frees = 6
        record.cut_stacks = 1
        var kernel = KernelLeakCounters(records: [record, record])
        kernel.seesBulk = seesBulk
        kernel.unseenCaches = ["dentry", "a\u{1b}b"]
        let kinds = [
            KernelMemory(kind: .kmalloc, cache: "kmalloc-cg-192", falseLeaksPossible: true),
            KernelMemory(kind: .pages),
        ]
        let stacks = zip(table.top(10, by: .count), kinds).map { top, kind in
            MemLeakStack(
                pid: nil, sum: top.sum,
                frames: [
                    MemLeakFrame(
                        address: 0xffff_ffff_8100_0010, symbol: "alloc_pipe_info", offset: 0x6a, module: "kernel"),
                    MemLeakFrame(address: 0xffff_ffff_c010_0084, symbol: "nf_hook", offset: 4, module: "nf_tables"),
                    MemLeakFrame(address: 0xffff_ffff_c010_0085),
                ], kernel: kind)
        }
        return MemLeakReport(
            time: WallTime(nanoseconds: 1_767_323_045_000_000_006), monotonic: 1000, stacks: stacks,
            total: table.total, siteCount: 2, blocks: [],
            counters: MemLeakCounters(records: [record.calls, record.calls]),
            losses: Losses(), sampleRate: 1, kernel: kernel)
    }

    @Test("bcc's lines, the cache behind them, modules in brackets")
    func text() {
        let text = MemLeakText(top: 10)
        let lines = text.lines(report(seesBulk: true))
        #expect(lines.count == 9)
        #expect(
            lines[1...4] == [
                "\t65536 bytes in 16 allocations from stack, estimated from 1 sample",
                "\t\t0xffffffff81000010\talloc_pipe_info+0x6a [kernel]",
                "\t\t0xffffffffc0100084\tnf_hook+0x4 [nf_tables]", "\t\t0xffffffffc0100085\t[unknown]",
            ])
        #expect(lines[5] == "\t76800 bytes in 400 allocations from stack of kmalloc-cg-192, false leaks possible")
    }

    @Test("what is not seen is said")
    func accounting() {
        let text = MemLeakText(top: 10)
        #expect(
            text.accounting(report(seesBulk: false)) == [
                "outstanding: 142336 ± 63455 bytes in 416 ± 15 allocations (standard errors)",
                "10 frees without an allocation (made before the trace, or in bulk)",
                "frees in bulk are not seen on this kernel: false leaks possible",
                "8 frees not seen: their addresses were given out again (dentry a\\x1bb)",
                "2 stacks deeper than 96 frames: the outermost are missing",
            ])
    }

    @Test("pid is null; cache, kind and the doubt are there")
    func json() {
        let lines = MemLeakJSON.lines(report(seesBulk: false)).map { $0.checkedText() }
        #expect(lines.count == 3)
        #expect(
            lines[0].contains(#""pid":null,"comm":null,"id":"#)
                && lines[0].contains(#""bytes":76800,"count":400,"oldest_ns":990,"estimated":false"#))
        #expect(lines[0].hasSuffix(#""kind":"kmalloc","cache":"kmalloc-cg-192","false_leaks_possible":true}"#))
        #expect(lines[1].contains(#""bytes":65536,"count":16,"oldest_ns":980,"estimated":true"#))
        #expect(lines[1].hasSuffix(#""kind":"pages","cache":null,"false_leaks_possible":false}"#))
        #expect(
            lines[2].contains(
                #""false_leaks_possible":true,"bulk_frees_seen":false,"bulk_frees":6,"rcu_frees":4,"unseen_frees":8,"#))
        #expect(lines[2].contains(#""rescued_frees":2,"null_frees":12,"cut_stacks":2,"losses":{"#))
    }

    @Test("a process's report has none of the kernel's keys")
    func process() {
        let report = MemLeakReport(
            time: .now, monotonic: 1, stacks: [MemLeakStack(pid: 3, sum: OutstandingSum(), frames: nil)],
            total: OutstandingSum(), siteCount: 1, blocks: [], counters: MemLeakCounters(), losses: Losses(),
            sampleRate: 1)
        for line in MemLeakJSON.lines(report).map({ $0.checkedText() }) {
            #expect(!line.contains("cache") && !line.contains("bulk"))
        }
    }

    @Test("numbers of kinds that no program writes")
    func kinds() {
        #expect(KernelMemoryKind(0) == nil)
        #expect(KernelMemoryKind(99) == nil)
        #expect((1...4).compactMap { KernelMemoryKind(UInt32($0)) } == [.kmalloc, .cache, .pages, .percpu])
    }

    @Test("more outstanding than the slab cache has, or has grown by")
    func slabCheck() {
        func isDoubtful(_ outstanding: UInt64, _ inUse: UInt64, _ growth: UInt64, seesAllFrees: Bool = false) -> Bool {
            SlabCheck(cache: "x", outstanding: outstanding, inUse: inUse, growth: growth)
                .isDoubtful(seesAllFrees: seesAllFrees)
        }
        #expect(isDoubtful(11, 10, 10))
        #expect(isDoubtful(11, 10, 10, seesAllFrees: true))
        #expect(!isDoubtful(10, 10, 10))
        // 500 epolls of which the cache has 92 left
        #expect(isDoubtful(500, 1258, 92))
        #expect(!isDoubtful(500, 1258, 92, seesAllFrees: true))
        // what is older may have been freed, and CPUs keep some
        #expect(!isDoubtful(500, 1258, 375))
        #expect(isDoubtful(500, 1258, 374))
        #expect(!isDoubtful(15, 1258, 0))
        #expect(isDoubtful(16, 1258, 0))
        let checks = [UInt64](1...9).map { SlabCheck(cache: "c\($0)", outstanding: 20 * $0, inUse: 200, growth: $0) }
        #expect(
            SlabCheck.words(Array(checks[0...1])) == """
                more outstanding than slab caches have grown by since the start, so some may be free: \
                c2 40 (+2), c1 20 (+1)
                """)
        #expect(SlabCheck.words(checks).hasSuffix("c2 40 (+2), …"))
    }
}
