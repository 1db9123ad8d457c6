// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

/// Lines of a report and of a trace, with whatever is in a record.
@Suite struct MemStallTextTests: MemStallSamples {
    @Test("text keeps within 80 columns, and shows what PSI says")
    func text() {
        let rows = [
            row(
                .memcgMax, tid: 4_194_304, milliseconds: 1234, count: 1913, pages: 88263,
                limit: "/kubepods/besteffort/pod1234"),
            row(.blkcgThrottle, milliseconds: 5, comm: "evil\u{1b}[1mname-that-is-long"),
        ]
        let lines = MemStallText().lines(
            interval(rows, pressure: MemoryPressure(some: 1_200_000_000, full: 7_000_000), explained: 1_188_000_000))
        #expect(
            lines == [
                "CAUSE          COMM            TID      COUNT STALL_MS   MAX_MS LIMIT",
                "memcg_max      app             4194304   1913   1234.0    308.5 …effort/pod1234",
                #"blkcg_throttle evil\x1b[1mname 9            1      5.0      1.2 -"#,
                "PSI: some 1.200 s, full 0.007 s of 1.000 s; explained 99 %",
                "PSI by cgroup: none; cgroup v2 alone has it",
                "WHO ALLOCATES        TASKS STALL_MS    FREED    SHARE  GREW_MB LIMIT",
                "/a/b                     1   1234.0    88263    100 %        - …effort/pod1234",
                "=> 100 % is memcg_max at the limit of /kubepods/besteffort/pod1234: what runs",
                "   there needs more than it may have", "",
            ])
        #expect(lines.allSatisfy { $0.count < 80 })
        for grouping in MemStallRow.Grouping.allCases {
            let grouped = MemStallRow.grouped(rows, by: grouping)
            #expect(MemStallText(grouping: grouping).lines(interval(grouped)).allSatisfy { $0.count < 80 })
        }
        let wide = MemStallText(timestamps: true, wide: true).lines(interval(rows))
        #expect(wide[0].contains(/^\d\d:\d\d:\d\d$/) && wide[2].hasSuffix("/kubepods/besteffort/pod1234"))
        #expect(wide[2].contains("    88263 "))
        #expect(MemStallText().lines(interval([]))[1] == "PSI: this kernel keeps none")
        let histogram = MemStallText().lines(interval([], histograms: [.refault: Log2Histogram(counts: [0, 3])]))
        #expect(histogram.contains("refault") && histogram.contains { $0.contains("stall_us") })
    }

    @Test("a trace's lines; a record that is cut is none")
    func trace() throws {
        let event = try #require(Self.event(order: 2)), none = try #require(Self.event(order: -1))
        #expect(event.order == 2 && event.gfp == 0xcc0 && none.order == nil && none.gfp == nil)
        var text = MemStallTraceText()
        #expect(text.header == "     TIME(s) COMM            TID     CAUSE            LAT(ms)   OFF(ms)  PAGES LIMIT")
        #expect(
            text.line(event, limit: CgroupPath("/a"))
                == "    0.000000 app             9       direct_reclaim     1.235     0.001     32 /a")
        var later = event
        later.end += 1_500_000_000
        #expect(text.line(later, limit: nil).hasPrefix("    1.500000 app"))
        #expect(MemStallEvent(bytesOf: Self.event(), first: 87) == nil)
    }

    @Test(
        "whatever a record's bytes are: nothing traps, and names are fit for a terminal",
        arguments: [UInt8(0), 0x1b, 0x80, 0xff])
    func hostile(byte: UInt8) {
        var counters = memstall_counters(), task = memstall_task(), cpu = memstall_cpu(), path = memstall_cgroup()
        withUnsafeMutableBytes(of: &counters) { for index in $0.indices { $0[index] = byte } }
        withUnsafeMutableBytes(of: &task) { for index in $0.indices { $0[index] = byte } }
        withUnsafeMutableBytes(of: &cpu) { for index in $0.indices { $0[index] = byte } }
        withUnsafeMutableBytes(of: &path) { for index in $0.indices { $0[index] = byte } }
        var sum = MemStallCounters(counters, epoch: counters.epoch.0)
        for piece in MemStallPiece.pieces(task, at: .max) { sum.add(piece) }
        sum.take(sum)
        _ = cpu.stalledNanoseconds(at: .max)
        var stalls = CPUStallSum(stalled: [.max], busy: CPUBusyTimes(ticks: [0: .max]))
        stalls.advance(stalled: [.max, .max], busy: CPUBusyTimes(ticks: [1: .max]))
        #expect(stalls.some.isFinite)
        let row = MemStallRow(
            pid: .max, tid: .max, comm: sum.comm, cgroup: CgroupPath(path), cause: .other,
            limitCgroup: CgroupPath(path), counters: sum)
        let interval = interval([row, row], pressure: MemoryPressure(some: .max, full: .max), explained: .max)
        for line in MemStallText(wide: true).lines(interval) {
            #expect(!line.unicodeScalars.contains { $0.value < 32 })
        }
        #expect(MemStallJSON.lines(interval).count >= 3)
    }
}
