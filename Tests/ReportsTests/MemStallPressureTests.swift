// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

/// Stalls beside PSI: its rule, its files, the share of it that is explained.
@Suite struct MemStallPressureTests: MemStallSamples {
    @Test("a CPU is stalled until the last task has gone on, here or on another CPU")
    func cpus() {
        var cpu = memstall_cpu()
        cpu.some_ns = 10
        #expect(cpu.stalledNanoseconds(at: 500) == 10)
        (cpu.since_ns, cpu.stalled) = (100, 1)
        #expect(cpu.stalledNanoseconds(at: 500) == 410)
        // it left for another CPU at 300
        (cpu.left, cpu.left_ns) = (1, 300)
        #expect(cpu.stalledNanoseconds(at: 500) == 210)
        // absurd: it left before it came
        cpu.left_ns = 50
        #expect(cpu.stalledNanoseconds(at: 500) == 10)
    }

    @Test("PSI's rule: each CPU weighed by the time it was not idle")
    func weighing() {
        let stat = CPUBusyTimes(
            stat: """
                cpu  1 2 3 4 5 6 7 8 0 0
                cpu0 10 0 10 900 5 0 0 5 0 0
                cpu1 0 0 0 1000 0 0 0 0 0 0
                intr 5
                cpuX 1 1 1 1 1 1 1 1
                cpu2 1 1
                """)
        #expect(stat.ticks == [0: 30, 1: 0])
        func busy(_ a: UInt64, _ b: UInt64) -> CPUBusyTimes { CPUBusyTimes(ticks: [0: a, 1: b]) }
        // one CPU stalls all of its second, the other works as long: half
        var sum = CPUStallSum(stalled: [0, 0], busy: busy(0, 0))
        sum.advance(stalled: [Self.second, 0], busy: busy(100, 100))
        #expect(abs(sum.some - 5e8) < 1)
        // the other one is idle: all
        sum.advance(stalled: [2 * Self.second, 0], busy: busy(200, 100))
        #expect(abs(sum.some - 15e8) < 1)
        // asleep, which is no tick's: it is not idle all the same
        sum.advance(stalled: [3 * Self.second, 0], busy: busy(200, 100))
        #expect(abs(sum.some - 25e8) < 1)
        sum.advance(stalled: [3 * Self.second, 0], busy: busy(200, 100))
        #expect(abs(sum.some - 25e8) < 1)
    }

    @Test("PSI's file; what is none is unknown")
    func pressure() throws {
        let text = "some avg10=0.00 avg60=0.00 avg300=0.00 total=12389\nfull avg10=0.00 total=38\n"
        let pressure = try #require(MemoryPressure(text))
        #expect(pressure.some == 12_389_000 && pressure.full == 38000)
        #expect(pressure.since(MemoryPressure(some: 9_000, full: 40000)) == MemoryPressure(some: 12_380_000, full: 0))
        for bad in [
            "", "some total=5\n", "some\nfull\n", "some total=x\nfull total=1",
            "some total=99999999999999999999\nfull total=1",
        ] {
            #expect(MemoryPressure(bad) == nil, "\(bad)")
        }
    }

    @Test("the kernel's counters: what grew; what it lacks, or is no number, is unknown")
    func vmstat() {
        let before = ReclaimVMStat(vmstat: "pgscan_kswapd 100\npgsteal_kswapd 50\npgscan_direct x\nother 5\n")
        let after = ReclaimVMStat(vmstat: "pgscan_kswapd 300\npgsteal_kswapd 40\npgscan_direct 9\noom_kill 2 3\n")
        let grown = after.since(before)
        #expect(grown.kswapdScanned == 200 && grown.kswapdStolen == 0)
        #expect(grown.directScanned == nil && grown.oomKills == nil && grown.refaultedFile == nil)
        let lines = MemStallText().lines(
            interval([], vmstat: "pgscan_kswapd 200\npgsteal_kswapd 50\npgscan_direct 0\npgsteal_direct 0\n"))
        #expect(lines.contains("reclaimed: kswapd 50 of 200 pages (25 %)"))
        #expect(!MemStallText().lines(interval([])).contains { $0.hasPrefix("reclaimed") })
    }

    @Test("what is explained: unknown where nothing is compared, or there is next to nothing")
    func ratio() {
        let some = MemoryPressure(some: Self.second, full: 0)
        #expect(interval([], pressure: some, explained: 970_000_000).explainedRatio == 0.97)
        #expect(interval([], pressure: some).explainedRatio == nil)
        #expect(interval([], explained: 5).explainedRatio == nil)
        #expect(interval([], pressure: MemoryPressure(some: 999_999, full: 0), explained: 5).explainedRatio == nil)
        let rows = [row(.memcgMax, milliseconds: 10), row(.kswapd, milliseconds: 5), row(.asked, milliseconds: 3)]
        #expect(interval(rows).stalledNanoseconds == 10_000_000 && interval(rows).psiNanoseconds == 15_000_000)
    }
}
