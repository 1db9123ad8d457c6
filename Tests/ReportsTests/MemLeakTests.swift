// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing
import TraceRecords

@testable import Reports

private let page: UInt64 = 4096

@Suite struct MemLeakTables {
    @Test("the age, the weight of sampling, and a mapping of two pieces")
    func sums() {
        var table = OutstandingTable(youngest: 100, weight: .oneIn(10), keepsBlocks: true)
        table.add(pid: 1, address: 0x10, bytes: 7, time: 100, stack: 5)
        table.add(pid: 1, address: 0x20, bytes: 9, time: 50, stack: 5)
        table.add(pid: 1, address: 0x30, bytes: 1000, time: 101, stack: 5)
        var ledger = MappingLedger(pageSize: page)
        ledger.map(pid: 1, address: 0x10000, length: 3 * page, time: 60, stack: 6)
        ledger.unmap(pid: 1, address: 0x11000, length: page, begun: 70)
        table.add(ledger)
        let site = table.sites[AllocationSite(pid: 1, stack: 5)]
        #expect(site?.bytes == 160)
        #expect(site?.count == 20)
        #expect(site?.oldestTime == 50)
        #expect(site?.isEstimated == true)
        let mapped = table.sites[AllocationSite(pid: 1, stack: 6)]
        #expect(mapped?.bytes == 2 * page)
        #expect(mapped?.count == 1)
        #expect(mapped?.isEstimated == false)
        #expect(table.total.bytes == 160 + 2 * page)
        // (1 - p) / p² = 90 for each: 90 × (7² + 9²), 90 × 2
        #expect(site?.bytesError == 108 && site?.countError == 13)
        #expect(mapped?.bytesError == nil)
        #expect(table.blocks.map(\.address) == [0x10, 0x20, 0x10000, 0x12000])
        #expect(table.top(1, by: .size).map(\.site.stack) == [6])
        #expect(table.top(1, by: .count).map(\.site.stack) == [5])
    }

    @Test("samples by bytes: each stands for as many as its size makes likely")
    func distances() {
        var table = OutstandingTable(youngest: 100, weight: .distance(4096))
        // recorded with probability 1 - exp(-100 / 4096) = 0.024118: each stands for 41.46
        for address in 0..<100 as Range<UInt64> {
            table.add(pid: 1, address: address, bytes: 100, time: 1, stack: 5)
        }
        // never missed
        table.add(pid: 1, address: 1000, bytes: 1 << 20, time: 1, stack: 6)
        let small = table.sites[AllocationSite(pid: 1, stack: 5)]
        #expect(small?.count == 4146)
        #expect(small?.bytes == 414_620)
        // 100 × √(100 × (1 - p)) / p
        #expect(small?.bytesError == 40959 && small?.countError == 410)
        let large = table.sites[AllocationSite(pid: 1, stack: 6)]
        #expect(large?.bytes == 1 << 20 && large?.count == 1 && large?.bytesError == 0)
    }

    @Test("sums of the kernel: what is negative for a moment is nothing")
    func totals() {
        var table = OutstandingTable(youngest: 0)
        table.add(total: AllocationTotal(bytes: 300, count: 3), pid: 1, stack: 5)
        table.add(total: AllocationTotal(bytes: -8, count: -1), pid: 1, stack: 6)
        table.add(total: AllocationTotal(bytes: -8, count: 1), pid: 1, stack: 7)
        table.add(total: AllocationTotal(bytes: 0, count: 0), pid: 1, stack: 8)
        #expect(table.sites.count == 1)
        // malloc(0) is an allocation
        table.add(total: AllocationTotal(bytes: 0, count: 2), pid: 1, stack: 9)
        #expect(table.sites[AllocationSite(pid: 1, stack: 9)]?.count == 2)
        #expect(table.total.bytes == 300)
    }

    @Test("counters of all CPUs")
    func counters() {
        var one = memleak_counters()
        var two = memleak_counters()
        (one.allocations, one.unmatched_frees, two.allocations, two.sampled_out) = (1, 2, 3, 4)
        let sum = MemLeakCounters(records: [one, two])
        #expect(sum.allocations == 4)
        #expect(sum.unmatchedFrees == 2)
        #expect(sum.sampledOut == 4)
    }
}

@Suite struct MemLeakEnds {
    @Test("what an ended process has counts whatever its age; others' young blocks do not")
    func ended() {
        var table = OutstandingTable(youngest: 100, ended: [7])
        for pid in [7, 8] as [UInt32] {
            table.add(pid: pid, address: 1, bytes: 10, time: 200, stack: 1)
            table.add(pid: pid, address: 2, bytes: 20, time: 50, stack: 1)
        }
        #expect(table.sites[AllocationSite(pid: 7, stack: 1)]?.bytes == 30)
        #expect(table.sites[AllocationSite(pid: 8, stack: 1)]?.bytes == 20)
    }

    @Test("a process's mappings: pieces of one count once")
    func ledgerSum() {
        var ledger = MappingLedger(pageSize: page)
        ledger.map(pid: 7, address: 0x10000, length: 4 * 4096, time: 1, stack: 1)
        ledger.unmap(pid: 7, address: 0x11000, length: 4096, begun: 2)
        ledger.map(pid: 7, address: 0x90000, length: 4096, time: 3, stack: 2)
        ledger.map(pid: 8, address: 0x10000, length: 4096, time: 3, stack: 2)
        let sum = ledger.sum(of: 7)
        #expect(sum.bytes == 4 * 4096)
        #expect(sum.count == 2)
        #expect(ledger.sum(of: 9) == OutstandingSum())
    }

    @Test("calls are all that were seen, whatever came of them")
    func calls() {
        var counters = MemLeakCounters()
        counters.allocations = 1
        counters.frees = 20
        counters.unmatchedFrees = 300
        counters.sampledOut = 4000
        counters.filteredOut = 50_000
        counters.failed = 600_000
        counters.unseenNew = 7_000_000
        counters.abandoned = 1 << 40
        #expect(counters.calls == 7_654_321)
    }

    @Test("the progress line, cut to the terminal")
    func progress() {
        var progress = MemLeakProgress(
            elapsed: 3725.9, callsPerSecond: 1234.5, bytes: 4096, count: 2, lost: 0)
        #expect(
            progress.text(columns: 200)
                == "01:02:05 1235 calls/s, 4096 bytes in 2 allocations outstanding, 0 lost")
        #expect(progress.text(columns: 21) == "01:02:05 1235 calls/")
        #expect(progress.text(columns: 0).isEmpty)
        progress.bytes = nil
        progress.lost = 3
        #expect(progress.text(columns: 80) == "01:02:05 1235 calls/s, 3 lost")
    }
}

@Suite struct MemLeakWords {
    private func report(rate: UInt64 = 1) -> MemLeakReport {
        var small = OutstandingSum()
        var large = OutstandingSum()
        (small.bytes, small.count, small.oldestTime) = (100, 1, 900)
        (large.bytes, large.count, large.oldestTime) = (4096, 2, 400)
        var counters = MemLeakCounters()
        counters.unmatchedFrees = 3
        counters.abandoned = 1
        return MemLeakReport(
            time: WallTime(nanoseconds: 1_767_323_045_000_000_006), monotonic: 1000,
            stacks: [
                MemLeakStack(
                    pid: 7, sum: large,
                    frames: [
                        MemLeakFrame(
                            address: 0x5555_0000_1234, symbol: "leak\u{1b}here", offset: 0x1f,
                            module: "/opt/a b/app", file: "main.c", line: 9),
                        MemLeakFrame(
                            address: 0x7f00_0000_0001, module: "/lib/libx.so.1", moduleOffset: 0x2a3f4,
                            buildID: "00ab12"),
                        MemLeakFrame(address: 0x7f00_0000_0002, module: "/lib/liby.so", moduleOffset: 0x10),
                        MemLeakFrame(address: 0x7f00_0000_0003, module: "[anon]"),
                        MemLeakFrame(address: 0x10),
                    ]),
                MemLeakStack(pid: 8, sum: small, frames: nil),
            ],
            total: large, siteCount: 2,
            blocks: [
                OutstandingBlock(address: 0xab, bytes: 8), OutstandingBlock(address: 0xcd, bytes: 4),
            ],
            counters: counters, losses: Losses(counts: [0, 5]), sampleRate: rate)
    }

    @Test("bcc's words, the largest last, hostile names spelt out")
    func text() {
        let time = report().time.clockTime
        #expect(
            MemLeakText(top: 10).lines(report()) == [
                "[\(time)] Top 10 stacks with outstanding allocations:",
                "\taddr = cd size = 4", "\taddr = ab size = 8",
                "\t100 bytes in 1 allocations from stack", "\t\tstack information lost",
                "\t4096 bytes in 2 allocations from stack",
                "\t\t0x0000555500001234\\tleak\\x1bhere+0x1f [app] main.c:9".replacingTab(),
                "\t\t0x00007f0000000001\tlibx.so.1+0x2a3f4 [libx.so.1] build-id 00ab12",
                "\t\t0x00007f0000000002\tliby.so+0x10 [liby.so]",
                "\t\t0x00007f0000000003\t[unknown] [anon]",
                "\t\t0x0000000000000010\t[unknown]",
            ])
        let combined = MemLeakText(top: 1, showsAddresses: false, showsPIDs: true).lines(report())
        #expect(combined[5] == "\t4096 bytes in 2 allocations from stack of pid 7")
        #expect(combined[7] == "\t\tlibx.so.1+0x2a3f4 [libx.so.1] build-id 00ab12")
    }

    @Test("what a report could not see; nothing of what is zero")
    func accounting() {
        #expect(
            MemLeakText(top: 10).accounting(report()) == [
                "3 frees without an allocation (made before the trace)", "1 calls left without returning",
            ])
        #expect(
            MemLeakText(top: 10).accounting(report(rate: 10)) == [
                "estimated: 1 allocation in 10 sampled, 0 passed over; a stack of fewer than 30 allocations may be missing",
                "1 calls left without returning",
            ])
    }

    @Test("files left out: the first by name, the rest by number; names spelt out")
    func leftOut() {
        let files = FilesLeftOut(
            files: [
                FileLeftOut(
                    file: "/tmp/a\u{1b}\u{202e}b", part: "names", reason: "memory",
                    words: "it would take too much memory; its functions have no names"),
                FileLeftOut(
                    file: "/opt/l", part: "allocators", reason: "refused", functions: ["calloc", "valloc"],
                    words: "the kernel refuses the probe: Exec format error; what they allocate is not recorded"),
            ], count: 5)
        #expect(
            files.lines == [
                #"left out: /tmp/a\x1b\u{202e}b: it would take too much memory; its functions have no names"#,
                "left out: calloc valloc of /opt/l: the kernel refuses the probe: Exec format error; "
                    + "what they allocate is not recorded",
                "left out: 3 more files",
            ])
        #expect(FilesLeftOut().lines.isEmpty)
    }

    @Test("an object a stack, then the summary with every counter")
    func json() {
        let lines = MemLeakJSON.lines(report()).map { $0.checkedText() }
        #expect(
            lines == [
                #"{"type":"memleak","time":"2026-01-02T03:04:05.000000006Z","pid":7,"comm":null,"id":"\#(StackID(nil, by: .function).text)","stacks":1,"verdict":"too early to tell","verdict_confidence":null,"growth_bytes_per_second":null,"growth_bytes_per_second_error":null,"growth_count_per_second":null,"growth_count_per_second_error":null,"survival":{"10s":null,"60s":null,"300s":null},"bytes":4096,"count":2,"oldest_ns":600,"estimated":false,"bytes_error":null,"count_error":null,"samples":null,"frames":[{"address":"0x555500001234","symbol":"leak\u001bhere","offset":31,"module":"/opt/a b/app","module_offset":null,"build_id":null,"file":"main.c","line":9},{"address":"0x7f0000000001","symbol":null,"offset":null,"module":"/lib/libx.so.1","module_offset":"0x2a3f4","build_id":"00ab12","file":null,"line":null},{"address":"0x7f0000000002","symbol":null,"offset":null,"module":"/lib/liby.so","module_offset":"0x10","build_id":null,"file":null,"line":null},{"address":"0x7f0000000003","symbol":null,"offset":null,"module":"[anon]","module_offset":null,"build_id":null,"file":null,"line":null},{"address":"0x10","symbol":null,"offset":null,"module":null,"module_offset":null,"build_id":null,"file":null,"line":null}],"stack_end":null}"#,
                #"{"type":"memleak","time":"2026-01-02T03:04:05.000000006Z","pid":8,"comm":null,"id":"\#(StackID(nil, by: .function).text)","stacks":1,"verdict":"too early to tell","verdict_confidence":null,"growth_bytes_per_second":null,"growth_bytes_per_second_error":null,"growth_count_per_second":null,"growth_count_per_second_error":null,"survival":{"10s":null,"60s":null,"300s":null},"bytes":100,"count":1,"oldest_ns":100,"estimated":false,"bytes_error":null,"count_error":null,"samples":null,"frames":null,"stack_end":null}"#,
                #"{"type":"memleak_summary","time":"2026-01-02T03:04:05.000000006Z","outstanding_bytes":4096,"outstanding_count":2,"oldest_ns":600,"estimated":false,"bytes_error":null,"count_error":null,"stacks":2,"stacks_shown":2,"leaking_stacks":0,"leaking_bytes_per_second":0.0,"growing_stacks":0,"growing_bytes_per_second":0.0,"suppressed_stacks":0,"suppressed_bytes":0,"watched_ns":0,"leak_after_ns":0,"younger_bytes":0,"younger_count":0,"baseline_bytes":null,"baseline_count":null,"sample_rate":1,"sample_bytes":null,"allocations":0,"frees":0,"unmatched_frees":3,"sampled_out":0,"filtered_out":0,"failed_calls":0,"unseen_new_calls":0,"abandoned_calls":1,"gone_bytes":0,"gone_count":0,"files_left_out":0,"left_out":[],"losses":\#(Losses(counts: [0, 5]).json.text()),"blocks":[{"address":"0xab","bytes":8},{"address":"0xcd","bytes":4}]}"#,
            ])
    }

    @Test("a call of the trace")
    func call() throws {
        var record = memleak_event()
        (record.kind, record.op, record.pid, record.tid) = (MEMLEAK_TRACED.rawValue, MEMLEAK_SIZE.rawValue, 5, 6)
        (record.length, record.result, record.recorded) = (100, 0xabc, 1)
        guard case .traced(let allocation)? = MemLeakEvent(bytesOf: record) else { throw NotDecoded() }
        #expect(allocation.text.hasSuffix(" 6       alloc exited, size = 100, result = abc"))
        record.op = MEMLEAK_FREE.rawValue
        record.address = 0xdef
        guard case .traced(let free)? = MemLeakEvent(bytesOf: record) else { throw NotDecoded() }
        #expect(free.text.hasSuffix(" free entered, address = def, size = 100"))
    }
}

extension String {
    /// The address column ends with a tab.
    fileprivate func replacingTab() -> String {
        var parts = split(separator: "\\", maxSplits: 1).map(String.init)
        parts[1] = "\t" + parts[1].dropFirst()
        return parts.joined()
    }
}
