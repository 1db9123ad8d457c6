// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

@Suite struct MemStallTests {
    private static let second: UInt64 = 1_000_000_000

    private func key(
        _ tid: UInt32, _ cause: memstall_cause = MEMSTALL_MEMCG_MAX, start: UInt64 = 1, limit: UInt64 = 0
    ) -> memstall_key {
        memstall_key(
            start_ns: start, cgroup: 3, limit_cgroup: limit, pid: 7, tid: tid, cause: cause.rawValue, padding: 0)
    }

    private func row(
        _ cause: MemStallCause, tid: UInt32? = 9, pid: UInt32? = 7, milliseconds: UInt64, count: UInt64 = 1,
        pages: UInt64 = 0, limit: String? = nil, cgroup: String? = "/a/b", comm: String? = "app"
    ) -> MemStallRow {
        var counters = MemStallCounters()
        (counters.count, counters.stalledNanoseconds) = (count, milliseconds * 1_000_000)
        (counters.offCPUNanoseconds, counters.longestNanoseconds) = (milliseconds * 500_000, milliseconds * 250_000)
        counters.psiNanoseconds = cause == .dirtyThrottle || cause == .asked ? 0 : counters.stalledNanoseconds
        counters.reclaimedPages = pages
        return MemStallRow(
            pid: pid, tid: tid, comm: comm, cgroup: cgroup.map { CgroupPath($0) }, cause: cause,
            limitCgroup: limit.map { CgroupPath($0) }, counters: counters)
    }

    private func interval(
        _ rows: [MemStallRow], pressure: MemoryPressure? = nil, explained: UInt64? = nil,
        vmstat: String = "", histograms: [MemStallCause: Log2Histogram]? = nil
    ) -> MemStallInterval {
        MemStallInterval(
            time: GoldenRecord.time, intervalNanoseconds: Self.second, rows: rows, pressure: pressure,
            explained: explained, vmstat: ReclaimVMStat(vmstat: vmstat), histograms: histograms, losses: Losses())
    }

    @Test("every cause of the kernel side has its name, once")
    func causes() {
        #expect(MemStallCause.allCases.count == MemStallCause.kernelCauses)
        #expect(Set(MemStallCause.allCases.map(\.name)).count == MemStallCause.kernelCauses)
        #expect(MemStallCause(rawValue: MEMSTALL_MEMCG_HIGH.rawValue) == .memcgHigh)
        #expect(MemStallCause(rawValue: MEMSTALL_DIRTY_THROTTLE.rawValue) == .dirtyThrottle)
        #expect(MemStallCause(rawValue: MEMSTALL_ASKED.rawValue) == .asked)
        #expect(MemStallKey(key(1, memstall_cause(rawValue: 999))).cause == .other)
        #expect(MemStallKey(key(5, limit: 8)).record.limit_cgroup == 8 && MemStallKey(key(5)).record.tid == 5)
    }

    @Test("a record's longest stall is that of the epoch asked for")
    func epochs() {
        var record = memstall_counters()
        (record.count, record.stalled_ns, record.psi_ns, record.off_cpu_ns) = (4, 50, 40, 30)
        record.reclaimed_pages = 6
        (record.longest_ns, record.epoch) = ((20, 11), (2, 3))
        withUnsafeMutableBytes(of: &record.comm) { $0.copyBytes(from: Array("hog".utf8)) }
        let now = MemStallCounters(record, epoch: 3)
        #expect(now.longestNanoseconds == 11 && now.comm == "hog" && now.count == 4 && now.psiNanoseconds == 40)
        #expect(MemStallCounters(record, epoch: 2).longestNanoseconds == 20)
        #expect(MemStallCounters(record, epoch: 4).longestNanoseconds == 0)
    }

    private func task(pieces: [(memstall_cause, memstall_kind, own: UInt64, off: UInt64)]) -> memstall_task {
        var task = memstall_task()
        (task.pid, task.tid, task.start_ns, task.cgroup, task.wanted) = (7, 9, 1, 3, 1)
        task.depth = UInt32(pieces.count)
        task.since_ns = 1000
        withUnsafeMutableBytes(of: &task.pieces) { bytes in
            let slots = bytes.bindMemory(to: memstall_piece.self)
            for (index, piece) in zip(slots.indices, pieces) {
                slots[index].cause = piece.0.rawValue
                slots[index].kind = piece.1.rawValue
                (slots[index].own_ns, slots[index].off_ns, slots[index].psi) = (piece.own, piece.off, 1)
            }
        }
        return task
    }

    @Test("what goes on counts up to now, the innermost's alone; who is filtered out or may not sleep has none")
    func goingOn() {
        var task = task(pieces: [
            (MEMSTALL_SWAPIN, MEMSTALL_BY_PSI, 5, 1), (MEMSTALL_MEMCG_MAX, MEMSTALL_BY_MEMCG, 7, 2),
        ])
        let on = MemStallPiece.pieces(task, at: 1100)
        #expect(on.map(\.own) == [5, 107] && on.map(\.off) == [1, 2] && on.map(\.key.cause) == [.swapin, .memcgMax])
        task.off_since_ns = 1040
        #expect(MemStallPiece.pieces(task, at: 1100).map(\.off) == [1, 62])
        // a clock that was read before the task's own last change
        #expect(MemStallPiece.pieces(task, at: 900).map(\.own) == [5, 7])
        task.wanted = 0
        #expect(MemStallPiece.pieces(task, at: 1100).isEmpty)
        var writer = self.task(pieces: [(MEMSTALL_DIRTY_THROTTLE, MEMSTALL_BY_DIRTY, 0, 0)])
        #expect(MemStallPiece.pieces(writer, at: 1100).isEmpty)
        writer.off_since_ns = 1010
        #expect(MemStallPiece.pieces(writer, at: 1100).map(\.own) == [100])
        writer.depth = 99
        #expect(MemStallPiece.pieces(writer, at: 1100).count <= Int(MEMSTALL_DEPTH))
    }

    @Test("a stall that is read as going on and then is in no reading for a moment counts once")
    func ledger() {
        func reading(_ ns: UInt64, count: UInt64) -> [MemStallKey: MemStallCounters] {
            var counters = MemStallCounters()
            (counters.stalledNanoseconds, counters.count) = (ns, count)
            return [MemStallKey(key(1)): counters]
        }
        var ledger = MemStallLedger(from: reading(100, count: 1))
        #expect(ledger.advance(to: reading(900, count: 1)).map(\.counters.stalledNanoseconds) == [800])
        #expect(ledger.advance(to: reading(200, count: 1)).isEmpty)
        let last = ledger.advance(to: reading(1000, count: 2))
        #expect(last.map(\.counters.stalledNanoseconds) == [100] && last.map(\.counters.count) == [1])
        let other = ledger.advance(to: [
            MemStallKey(key(1, start: 2)): reading(5, count: 1).values.first ?? MemStallCounters()
        ])
        #expect(other.map(\.counters.stalledNanoseconds) == [5])
        ledger.forget(MemStallKey(key(1, start: 2)))
        #expect(ledger.keys.isEmpty)
    }

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

    @Test("grouping: sums, the longest's name, waits before what is none")
    func grouping() {
        let rows = [
            row(.memcgMax, tid: 1, milliseconds: 10, limit: "/a", comm: "short"),
            row(.memcgMax, tid: 2, milliseconds: 30, limit: "/a", comm: "long"),
            row(.refault, tid: 1, milliseconds: 5), row(.kswapd, tid: 50, pid: 50, milliseconds: 99, comm: "kswapd0"),
        ]
        #expect(MemStallRow.grouped(rows, by: .task).map(\.tid) == [2, 1, 1, 50])
        let processes = MemStallRow.grouped(rows, by: .process)
        #expect(processes.map(\.counters.stalledNanoseconds) == [40_000_000, 5_000_000, 99_000_000])
        #expect(processes[0].comm == "long" && processes[0].tid == nil && processes[0].counters.count == 2)
        #expect(processes[0].counters.longestNanoseconds == 7_500_000)
        let causes = MemStallRow.grouped(rows, by: .cause)
        #expect(causes.map(\.cause) == [.memcgMax, .refault, .kswapd] && causes[0].limitCgroup == nil)
        let cgroups = MemStallRow.grouped(rows, by: .cgroup)
        #expect(cgroups[0].limitCgroup?.path == "/a" && cgroups[0].pid == nil && cgroups[0].cgroup?.path == "/a/b")
    }

    @Test("hints: by the numbers, gravest first; none where nobody waits to speak of")
    func hints() throws {
        func hints(_ rows: MemStallRow...) -> [MemStallHint] { MemStallHint.hints(interval(rows)) }
        #expect(hints(row(.memcgMax, milliseconds: 49, limit: "/a")).isEmpty)
        #expect(hints(row(.kswapd, milliseconds: 900)).isEmpty)
        // 900 ms stalled for 90 pages: 100 a second
        let thrashing = hints(row(.memcgHigh, milliseconds: 900, pages: 90, limit: "/kubepods/a"))
        #expect(
            thrashing == [
                .thrashes(limit: CgroupPath("/kubepods/a"), cause: .memcgHigh, share: 0.9, pagesPerSecond: 100)
            ])
        let text = try #require(thrashing.first?.text)
        #expect(text.contains("/kubepods/a") && text.contains("90 %") && text.contains("raise memory.high"))
        // many tasks that stall a little each: no livelock
        let many = (0..<10).map { row(.memcgMax, tid: $0, milliseconds: 100, pages: 1, limit: "/a") }
        #expect(MemStallHint.hints(interval(many)) == [.atLimit(limit: CgroupPath("/a"), cause: .memcgMax, share: 1)])
        #expect(
            hints(row(.memcgMax, milliseconds: 900, pages: 90000, limit: "/a"))
                == [.atLimit(limit: CgroupPath("/a"), cause: .memcgMax, share: 1)])
        #expect(hints(row(.directReclaim, milliseconds: 60)) == [.machineShort(share: 1)])
        #expect(hints(row(.compaction, milliseconds: 60)) == [.compacts(share: 1)])
        #expect(hints(row(.swapin, milliseconds: 60)) == [.readsAgain(cause: .swapin, share: 1)])
        #expect(hints(row(.dirtyThrottle, milliseconds: 60)) == [.writes(share: 1)])
        #expect(hints(row(.refault, milliseconds: 40), row(.oom, milliseconds: 60)).isEmpty)
    }

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

    private static func event() -> memstall_event {
        var record = memstall_event()
        (record.end_ns, record.stalled_ns, record.off_cpu_ns) = (5_000_000_000, 1_234_567, 1000)
        (record.reclaimed_pages, record.cgroup, record.limit_cgroup) = (32, 3, 4)
        (record.pid, record.tid, record.cause, record.gfp, record.order) = (
            7, 9, MEMSTALL_DIRECT_RECLAIM.rawValue, 0xcc0, 2
        )
        withUnsafeMutableBytes(of: &record.comm) { $0.copyBytes(from: Array("app".utf8)) }
        return record
    }

    static func event(order: Int32) -> MemStallEvent? {
        var record = event()
        record.order = order
        return MemStallEvent(bytesOf: record)
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
        #expect(MemStallJSON.lines(interval).count == 3)
    }
}
