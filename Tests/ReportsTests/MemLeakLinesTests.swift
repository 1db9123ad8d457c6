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
