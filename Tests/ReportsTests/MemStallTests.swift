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
        vmstat: String = "", histograms: [MemStallCause: Log2Histogram]? = nil,
        files: [String: (StallCgroupFiles, StallCgroupFiles)] = [:], explainedGroups: [String: UInt64] = [:]
    ) -> MemStallInterval {
        var interval = MemStallInterval(
            time: GoldenRecord.time, intervalNanoseconds: Self.second, rows: rows, pressure: pressure,
            explained: explained, vmstat: ReclaimVMStat(vmstat: vmstat), histograms: histograms, losses: Losses())
        func by<Value>(_ value: ((StallCgroupFiles, StallCgroupFiles)) -> Value) -> [CgroupPath: Value] {
            Dictionary(uniqueKeysWithValues: files.map { (CgroupPath($0.key), value($0.value)) })
        }
        interval.judge(
            tasks: rows, before: by(\.0), now: by(\.1),
            explained: Dictionary(uniqueKeysWithValues: explainedGroups.map { (CgroupPath($0.key), $0.value) }),
            pageSize: 4096)
        return interval
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
        func texts(_ rows: MemStallRow...) -> [String] { interval(rows).hints.map(\.text) }
        func starts(_ rows: MemStallRow..., with text: String) -> Bool {
            let hints = interval(rows).hints
            return hints.count == 1 && hints[0].text.hasPrefix(text)
        }
        #expect(texts(row(.memcgMax, milliseconds: 49, limit: "/a")).isEmpty)
        #expect(texts(row(.kswapd, milliseconds: 900)).isEmpty)
        // many tasks that stall a little each: no livelock
        let many = (0..<10).map { row(.memcgMax, tid: $0, milliseconds: 100, pages: 1, limit: "/a") }
        #expect(
            interval(many).hints.map(\.text) == [
                "100 % is memcg_max at the limit of /a: what runs there needs more than it may have"
            ])
        #expect(
            starts(
                row(.memcgMax, milliseconds: 900, pages: 90000, limit: "/a"), with: "100 % is memcg_max at the limit"))
        #expect(starts(row(.directReclaim, milliseconds: 60), with: "100 % is direct reclaim"))
        #expect(starts(row(.compaction, milliseconds: 60), with: "100 % is compaction"))
        #expect(starts(row(.swapin, milliseconds: 60), with: "100 % is swapin"))
        #expect(starts(row(.dirtyThrottle, milliseconds: 60), with: "100 % is dirty_throttle"))
        #expect(texts(row(.refault, milliseconds: 40), row(.oom, milliseconds: 60)).isEmpty)
    }

    private func files(_ texts: [String: String]) -> StallCgroupFiles {
        StallCgroupFiles(isUnified: true) { texts[$0] }
    }

    @Test("a livelock: it waits most of the time, wins little or what it reads back at once, and nobody is killed")
    func livelock() throws {
        func verdict(
            pages: UInt64, milliseconds: UInt64 = 900, kills: Int = 0, refaulted: Int? = nil, full: Int = 0
        ) -> (text: String, livelock: Bool) {
            let zero = files([
                "memory.high": "41943040\n", "memory.max": "max\n", "memory.events": "high 1\noom_kill 3\n",
                "memory.stat": "workingset_refault_anon 5\nworkingset_refault_file 1\n",
                "memory.pressure": "some total=0\nfull total=0\n",
            ])
            let now = files([
                "memory.high": "41943040\n", "memory.max": "max\n", "memory.events": "high 9\noom_kill \(3 + kills)\n",
                "memory.stat": refaulted.map { "workingset_refault_anon \(5 + $0)\nworkingset_refault_file 1\n" } ?? "",
                "memory.pressure": "some total=\(full)\nfull total=\(full)\n",
            ])
            let interval = interval(
                [row(.memcgHigh, milliseconds: milliseconds, pages: pages, limit: "/kubepods/a")],
                files: ["/kubepods/a": (zero, now)])
            return (interval.hints.first?.text ?? "", interval.culprits.first?.limit.thrashes ?? false)
        }
        let one = verdict(pages: 66)
        #expect(
            one.livelock
                && one.text
                    == "reclaims 0.3 MB per second stalled at memory.high of /kubepods/a (40 MB); waits 90 % of the "
                    + "time: it thrashes and will not be killed; raise memory.high, or let it OOM by memory.max"
        )
        #expect(!verdict(pages: 66, kills: 1).livelock)
        #expect(!verdict(pages: 66, milliseconds: 400).livelock)
        // no task alone waits that long, but all together do
        #expect(verdict(pages: 30, milliseconds: 400, full: 700_000).livelock)
        #expect(!verdict(pages: 50000).livelock && !verdict(pages: 50000, refaulted: 20000).livelock)
        let back = verdict(pages: 50000, refaulted: 49000)
        #expect(back.livelock && back.text.contains("227.6 MB per second") && back.text.contains("and reads 98 % back"))
        // nothing is known of the limit's cgroup
        let unknown = interval([row(.memcgMax, milliseconds: 900, limit: "/b")])
        #expect(unknown.culprits[0].limit.thrashes && unknown.culprits[0].limit.limitBytes == nil)
        #expect(unknown.hints[0].text.hasPrefix("reclaims 0.0 MB per second stalled at the limit of /b; waits 90 %"))
        // the machine's shortage is no cgroup's livelock
        #expect(!interval([row(.directReclaim, milliseconds: 900)]).culprits[0].limit.thrashes)
    }

    @Test("who is to blame: at each limit who freed most first, with what it grew by")
    func culprits() throws {
        func usage(_ bytes: Int) -> StallCgroupFiles { files(["memory.current": "\(bytes)\n"]) }
        let rows = [
            row(.memcgMax, tid: 1, milliseconds: 500, pages: 100, limit: "/p", cgroup: "/p/victim"),
            row(.memcgMax, tid: 2, milliseconds: 200, pages: 900, limit: "/p", cgroup: "/p/hog"),
            row(.memcgMax, tid: 3, milliseconds: 100, pages: 1000, limit: "/p", cgroup: "/p/hog"),
            row(.directReclaim, tid: 4, milliseconds: 30, pages: 0, cgroup: "/x"),
        ]
        let interval = interval(rows, files: ["/p/hog": (usage(1000), usage(5000)), "/p/victim": (usage(9), usage(4))])
        #expect(interval.culprits.map(\.cgroup?.path) == ["/p/hog", "/p/victim", "/x"])
        #expect(interval.culprits.map(\.tasks) == [2, 1, 1] && interval.culprits[0].reclaimedShare == 0.95)
        #expect(interval.culprits.map(\.grownBytes) == [4000, -5, nil] && interval.culprits[2].reclaimedShare == nil)
        #expect(interval.culprits[0].limit.stalledNanoseconds == 800_000_000)
        #expect(interval.hints.last?.text == "/p/hog asks for 95 % of what is freed at the limit of /p")
        let lines = MemStallText().lines(interval)
        #expect(lines.contains("WHO ALLOCATES        TASKS STALL_MS    FREED    SHARE  GREW_MB LIMIT"))
        #expect(lines.contains("/p/hog                   2    300.0     1900     95 %      0.0 /p"))
        #expect(lines.contains("/x                       1     30.0        0        -        - the machine"))
    }

    @Test("each cgroup beside its own PSI; the root's is the machine's; what is not known is not compared")
    func groups() throws {
        func pressure(_ microseconds: Int) -> StallCgroupFiles {
            files(["memory.pressure": "some total=\(microseconds)\nfull total=0\n"])
        }
        let rows = [
            row(.memcgMax, tid: 1, milliseconds: 500, limit: "/p", cgroup: "/p/a"),
            row(.refault, tid: 2, milliseconds: 100, cgroup: "/p/a"), row(.asked, milliseconds: 900, cgroup: "/p/b"),
            row(.swapin, milliseconds: 20, cgroup: "/p/c"), row(.swapin, milliseconds: 20, cgroup: "/"),
        ]
        var interval = interval(
            rows, files: ["/p/a": (pressure(100_000), pressure(500_000))],
            explainedGroups: ["/p/a": 300_000_000, "/p/c": 5])
        #expect(interval.groups.map(\.cgroup.path) == ["/p/a", "/p/c"])
        let first = interval.groups[0]
        #expect(first.stalledNanoseconds == 600_000_000 && first.psiNanoseconds == 600_000_000)
        #expect(first.pressure?.some == 400_000_000 && first.explainedRatio == 0.75)
        #expect(first.unexplainedNanoseconds == 100_000_000)
        #expect(interval.groups[1].explained == nil && interval.groups[1].unexplainedNanoseconds == nil)
        #expect(MemStallText().lines(interval).contains("PSI by cgroup: none; cgroup v2 alone has it"))
        interval.hasGroupPressure = true
        let lines = MemStallText().lines(interval)
        #expect(lines.contains(" STALL_MS  PSI_SOME  PSI_FULL EXPLAINED    NOT_MS CGROUP"))
        #expect(lines.contains("    600.0     400.0       0.0      75 %     100.0 /p/a"))
    }

    @Test(
        "the other side: what was added, what goes on, the longest of the interval; zones that have enough are silent")
    func otherSide() {
        var record = memstall_node()
        (record.kswapd_rounds, record.kcompactd_since_ns) = (3, 40)
        (record.orders.0, record.orders.9) = (2, 1)
        let before = ReclaimNode(record, node: 2, at: 50)
        #expect(before.kswapdNanoseconds == nil && before.kcompactdNanoseconds == 10)
        record.kswapd_rounds = 5
        record.orders.0 = 4
        var after = ReclaimNode(record, node: 2, at: 90).since(before)
        after.take([
            row(.kswapd, milliseconds: 7, comm: "kswapd2"), row(.kswapd, milliseconds: 9, comm: "kswapd22"),
            row(.other, milliseconds: 9, comm: "kswapd2"),
        ])
        #expect(after.kswapdRounds == 2 && after.kswapdNanoseconds == 7_000_000 && after.kcompactdNanoseconds == 40)
        #expect(after.order == 0 && before.since(before).order == nil && before.since(nil).order == 9)
        var shrinker = memstall_shrinker()
        (shrinker.calls, shrinker.total_ns, shrinker.longest_ns, shrinker.epoch) = (
            2, 2_000_000, (0, 1_500_000), (0, 3)
        )
        let one = ReclaimShrinker([shrinker], function: "a", epoch: 3)
        #expect(one.longestNanoseconds == 1_500_000 && one.since(one).calls == 0)
        let zones = ZoneInfo(
            """
            Node 0, zone   DMA
              pages free     90
                    min      10
                    low      40
                    high     60
                    managed  900
            Node 0, zone   Normal
              pages free     5
                    min      10
                    low      40
                    high     60
                    managed  900
            """
        ).zones
        let reclaim = MemStallReclaim(
            nodes: [after, after.since(after)], shrinkers: [one, one.since(one)], zones: zones)
        #expect(
            reclaim.lines() == [
                "kswapd2: 2 rounds, at work 7.0 ms", "kcompactd2: 0 rounds, at work 0.0 ms",
                "shrinker a: 2 calls, 2.0 ms, longest 1.5 ms, freed 0",
                "zone Normal of node 0: 5 pages free, below min (min 10, low 40, high 60)",
            ])
        let vmstat = ReclaimVMStat(vmstat: "pgscan_kswapd 3\npgsteal_kswapd 1\npgscan_direct 1\npgsteal_direct 1\n")
        #expect(vmstat.efficiency == 0.5 && ReclaimVMStat(vmstat: "pgscan_kswapd 3\n").efficiency == nil)
    }

    @Test("the screen: bars by cause, what it means, rows; any size; keys")
    func screen() {
        let rows = [
            row(.memcgMax, tid: 1, milliseconds: 750, limit: "/a"), row(.refault, tid: 2, milliseconds: 250),
            row(.kswapd, tid: 3, milliseconds: 900),
        ]
        var screen = MemStallScreen(grouping: .task)
        #expect(screen.lines(width: 80, height: 24).map(\.text) == ["memstall: the first interval is not over yet"])
        screen.take(interval([]))
        #expect(screen.lines(width: 80, height: 24).contains { $0.text == "nobody waits for memory" })
        screen.take(interval(rows, pressure: MemoryPressure(some: 900_000_000, full: 0), explained: 890_000_000))
        let lines = screen.lines(width: 80, height: 24)
        #expect(lines[0].text == "PSI: some 0.900 s, full 0.000 s of 1.000 s; explained 99 %")
        #expect(lines[1].text == "memcg_max         0.750 s   75 % " + String(repeating: "█", count: 35))
        #expect(lines[2].text == "refault           0.250 s   25 % " + String(repeating: "█", count: 12))
        #expect(lines[3].text.hasPrefix("=> ") && lines.filter(\.isHeading).map(\.text) == [MemStallText().header])
        #expect(lines.contains { $0.text.hasPrefix("kswapd ") })
        for size in [(0, 5), (5, 0), (1, 1), (10, 3), (200, 60)] {
            let some = screen.lines(width: size.0, height: size.1)
            #expect(some.count <= size.1 && some.allSatisfy { $0.text.count <= size.0 })
        }
        func press(_ keys: TerminalKey...) -> [Bool] { keys.map { screen.press($0) } }
        #expect(press(.text("s"), .text(" ")) == [true, true] && screen.grouping == .cause && screen.isPaused)
        screen.take(interval([]))
        #expect(screen.lines(width: 80, height: 24)[0].text.hasSuffix("/ Paused"))
        #expect(press(.text("?")) == [true] && screen.lines(width: 80, height: 4).count == 4)
        // any key goes back from the help
        #expect(press(.text("q"), .text("p"), .text("c"), .text("t"), .up) == [true, true, true, true, true])
        #expect(screen.grouping == .task && press(.text("q")) == [false])
    }

    @Test("a cgroup's files, of either version; what they don't say is unknown")
    func cgroupFiles() {
        let old = StallCgroupFiles(isUnified: false) {
            [
                "memory.usage_in_bytes": "4096\n", "memory.limit_in_bytes": "8192\n",
                "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
                "memory.stat": "workingset_refault_anon 1\ntotal_workingset_refault_anon 7\n",
            ][$0]
        }
        #expect(old.usageBytes == 4096 && old.maxBytes == 8192 && old.oomKills == 2 && old.refaultedPages == 7)
        #expect(old.pressure == nil && old.highBytes == nil)
        let free = StallCgroupFiles(isUnified: false) { $0 == "memory.limit_in_bytes" ? "9223372036854771712\n" : nil }
        #expect(free == StallCgroupFiles())
        let odd = StallCgroupFiles(isUnified: true) { _ in "\u{1b}[ -5 x\n" }
        #expect(odd == StallCgroupFiles())
        #expect(files(["memory.high": "0\n"]).highBytes == 0)
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
        #expect(MemStallJSON.lines(interval).count >= 3)
    }
}
