// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

@Suite struct OOMRecordTests {
    typealias Samples = OOMRecordSamples
    private let MB = OOMRecordSamples.MB

    /// - Parameter megabytes: held at each second.
    private func grow(_ megabytes: [Double]) -> OOMGrower? {
        let points = megabytes.enumerated().map { second, held in
            OOMGrower.Point(
                time: WallTime(nanoseconds: Samples.began + Int64(second) * 1_000_000_000),
                bytes: UInt64(held * 1_048_576))
        }
        return OOMGrower.growth(points)
    }

    private func seconds(_ time: WallTime?) -> Double? {
        time.map { Double($0.nanoseconds - Samples.began) / 1e9 }
    }

    @Test("a line from the middle of a second: its rate, and when it began")
    func line() throws {
        let series: [Double] = (0...20).map { second in 50 + 3 * max(0, Double(second) - 4.5) }
        let grower = try #require(grow(series))
        #expect(abs(grower.bytesPerSecond / 1_048_576 - 3) < 0.001)
        let since = try #require(seconds(grower.since))
        #expect(abs(since - 4.5) < 0.01)
        #expect(grower.until == nil && grower.recentBytes == UInt64(46.5 * 1_048_576))
    }

    @Test("a slow line on a large process; a fall; a rest; what is less than a MiB")
    func shapes() throws {
        // 1 MB/s of 4000
        let line: [Double] = (0...60).map { 4000 + Double($0) }
        let slow = try #require(grow(line))
        #expect(abs(slow.bytesPerSecond / 1_048_576 - 1) < 0.001)
        // a saw: since its last trough
        let teeth: [Double] = (0...25).map { 10 + Double($0 % 10) * 4 }
        let saw = try #require(grow(teeth))
        #expect(seconds(saw.since) == 20 && saw.bytesPerSecond == 4 * 1_048_576)
        // early, then at rest for a minute
        let step: [Double] = (0...80).map { min(20, Double($0)) * 5 }
        let early = try #require(grow(step))
        #expect(seconds(early.until) == 20 && early.recentBytes == 0 && early.grownBytes == 100 * MB)
        // a rest in the middle: the second growth alone
        let twice: [Double] = (0...40).map { min(10, Double($0)) + 2 * max(0, Double($0) - 30) }
        let second = try #require(grow(twice))
        let since = try #require(seconds(second.since))
        #expect(abs(since - 30) < 0.01 && second.bytesPerSecond == 2 * 1_048_576)
        // a start of half a MiB, five seconds of rest, then a line
        let late: [Double] = (0...20).map { second in min(0.5, Double(second)) + 2 * max(0, Double(second) - 5) }
        let held = try #require(grow(late))
        #expect(abs(held.bytesPerSecond / 1_048_576 - 2) < 0.001)
        #expect(abs((seconds(held.since) ?? 0) - 4.75) < 0.01)
        // steps of two seconds: the rate of the stairs, wherever the last one was cut
        let stairs: [Double] = (0...21).map { second in 5 + 8 * Double(second / 2) }
        let steps = try #require(grow(stairs))
        #expect(abs(steps.bytesPerSecond / 1_048_576 - 4) < 0.001)
        let little: [Double] = (0...20).map { 5 + Double($0) * 0.04 }
        #expect(grow(little) == nil)
        #expect(grow([5]) == nil && grow([]) == nil && grow([50, 10]) == nil)
        // in one step
        let leap = try #require(grow([1, 1, 101]))
        #expect(leap.bytesPerSecond == 104_857_600)
    }

    @Test("points as oom_badness() has them")
    func points() {
        let process = Samples.process(1, "a", 100 * MB, adj: 100)
        // 25 600 pages, and a tenth of 1 000 000
        #expect(process.points(totalPages: 1_000_000, pageBytes: 4096) == 125_600)
        #expect(Samples.process(1, "a", 100 * MB, adj: -1000).points(totalPages: 1_000_000, pageBytes: 4096) == nil)
        #expect(Samples.process(1, "a", 4096, adj: -999).points(totalPages: 2000, pageBytes: 4096) == -1997)
        var whole = process
        (whole.swapBytes, whole.pageTableBytes, whole.oomScoreAdj) = (8192, 12_288, 0)
        #expect(whole.points(totalPages: .max, pageBytes: 4096) == 25_605)
        #expect(process.points(totalPages: .max, pageBytes: 0) == nil)
    }

    @Test("the leak of a limit: who grew, who was chosen among, what was used, what to do")
    func explanation() throws {
        let explanation = try #require(Samples.explanations().first)
        #expect(explanation.growers.map(\.pid) == [20])
        let grower = try #require(explanation.growers.first)
        #expect(abs(grower.bytesPerSecond / 1_048_576 - 8) < 0.01)
        #expect(explanation.candidates.map(\.pid) == [20, 21])
        #expect(explanation.candidates.map(\.points) == [24_064, 100])
        #expect(explanation.candidates.map(\.isChosen) == [true, false])
        #expect(explanation.limitBytes == 200 * MB && explanation.usage.count == 12)
        #expect(explanation.usage.last?.bytes == 200 * MB && explanation.sampleAge == 0.5)
        #expect(explanation.stalledShare == 0.1)
        #expect(explanation.nextStep.contains("process 20 (leak) grew by 8.0 MB/s and was killed for it"))
        let page = OOMKillText.page(explanation)
        #expect(page.contains("  memory cgroup /box") && page.contains { $0.hasPrefix("> leak") })
        #expect(page.allSatisfy { $0.count <= 80 }, "\(page.filter { $0.count > 80 })")
    }

    @Test("a late grower behind an early large one; another than the grower is killed; others' cgroups are left out")
    func others() throws {
        let samples = (Int64(0)...100).map { (second: Int64) -> OOMSample in
            Samples.sample(
                second,
                [
                    Samples.process(1, "early", UInt64(min(90, 10 * second + 10)) * MB, adj: 500),
                    Samples.process(2, "late", UInt64(max(0, second - 60) * 2 + 5) * MB),
                    Samples.process(3, "elsewhere", UInt64(second * 20 + 5) * MB, cgroup: 8),
                ], usage: 100 * MB)
        }
        let explanation = OOMExplanation(Samples.victim(1, "early", 90 * MB, at: 100.2, adj: 500), samples: samples)
        #expect(explanation.growers.map(\.comm) == ["late", "early"])
        #expect(explanation.growers.map { $0.until == nil } == [true, false])
        #expect(explanation.candidates.map(\.comm) == ["early", "late"])
        #expect(explanation.nextStep.contains("process 2 (late) grew by 2.0 MB/s, and process 1 (early) was killed"))
        #expect(explanation.nextStep.contains("oom_score_adj of 500"))
    }

    @Test("what would have spared it: chosen anew with each value, another is killed; one step less, the victim still")
    func sparing() throws {
        func candidates(_ values: [(pid: UInt32, pages: Int64, adj: Int32)], unit: Int64) -> [OOMExplanation.Candidate]
        {
            let points = values.map { $0.adj == -1000 ? nil : $0.pages + Int64($0.adj) * unit }
            let most = points.compactMap { $0 }.max()
            return zip(values, points).map { value, points in
                OOMExplanation.Candidate(
                    pid: value.pid, comm: "p\(value.pid)", cgroup: nil, points: points, oomScoreAdj: value.adj,
                    adjustmentPoints: Int64(value.adj) * unit, isChosen: points == most)
            }.sorted { ($0.points ?? .min) > ($1.points ?? .min) }
        }
        let processes: [(pid: UInt32, pages: Int64, adj: Int32)] = [
            (1, 23_040, 500), (2, 21_760, 0), (3, 30_000, -1000), (4, 9000, -20),
        ]
        let found = OOMSparing.all(
            candidates(processes, unit: 51), growers: [], domain: nil, totalPages: 51_200, usages: [])
        #expect(found.map(\.setting) == [.scoreAtMost(-36), .scoreAtLeast(536)])
        #expect(found.map(\.pid) == [1, 2])
        #expect(found.map(\.chosen) == [2, 2])
        func chosen(_ pid: UInt32, _ adj: Int32) -> UInt32? {
            candidates(processes.map { $0.pid == pid ? ($0.pid, $0.pages, adj) : $0 }, unit: 51).first?.pid
        }
        // ten units clear of where the choice changes
        #expect(chosen(1, -36) == 2 && chosen(1, -26) == 2 && chosen(1, -25) == 1)
        #expect(chosen(2, 536) == 2 && chosen(2, 526) == 2 && chosen(2, 525) == 1)
        // the one that grew rather than the next
        let grower = OOMGrower(
            pid: 4, comm: "p4", cgroup: nil, bytes: 0, bytesPerSecond: 1, since: WallTime(nanoseconds: 0), until: nil,
            recentBytes: 0, grownBytes: 0)
        let raised = OOMSparing.all(
            candidates(processes, unit: 51), growers: [grower], domain: nil, totalPages: 51_200, usages: [])
        #expect(raised.map(\.setting) == [.scoreAtMost(-36), .scoreAtLeast(786)] && raised[1].chosen == 4)
        #expect(chosen(4, 786) == 4 && chosen(4, 775) == 1)
        // too small a domain for oom_score_adj; nobody else; nobody else that may be chosen
        let small = candidates([(1, 500, 0), (2, 300, 0)], unit: 0)
        let least = OOMSparing.all(small, growers: [], domain: nil, totalPages: 999, usages: [])
        #expect(least.map(\.setting) == [.scoreAtMost(-1000)])
        let alone = candidates([(1, 500, 0), (3, 900, -1000)], unit: 1)
        #expect(OOMSparing.all(alone, growers: [], domain: nil, totalPages: 1000, usages: []).isEmpty)
        // far behind: no value is enough, and the victim can only be taken out
        let far = candidates([(1, 90_000, 0), (2, 10, -900)], unit: 51)
        let out = OOMSparing.all(far, growers: [], domain: nil, totalPages: 51_200, usages: [])
        #expect(out.map(\.setting) == [.scoreAtMost(-1000)])
    }

    @Test("a limit of the grower's own cgroup, where the victim is not in it")
    func sparingLimit() throws {
        func explanation(grower: UInt64) -> OOMExplanation {
            let samples = (Int64(0)...20).map { (second: Int64) -> OOMSample in
                var sample = Samples.sample(
                    second,
                    [
                        Samples.process(1, "db", 120 * MB),
                        Samples.process(2, "batch", UInt64(10 + 3 * second) * MB, cgroup: grower),
                    ],
                    usage: UInt64(130 + 3 * second) * MB)
                sample.cgroups[2] = OOMCgroup(
                    id: 8, path: CgroupPath("/box/batch"), usageBytes: UInt64(11 + 3 * second) * MB, limitBytes: nil)
                return sample
            }
            return OOMExplanation(Samples.victim(1, "db", 120 * MB, at: 20.4), samples: samples)
        }
        let spared = explanation(grower: 8)
        #expect(spared.sparing.map(\.setting) == [.scoreAtMost(-261), .scoreAtLeast(261), .limitBelow(71 * MB)])
        #expect(spared.sparing.map(\.chosen) == [2, 2, 2])
        let page = OOMKillText.page(spared, advice: true)
        let at = try #require(page.firstIndex(of: "WHAT WOULD HAVE SPARED IT"))
        #expect(
            page[(at + 1)...].prefix(3) == [
                "  oom_score_adj of PID 1 (db) at -261 or less: then PID 2 (batch) is killed",
                "  oom_score_adj of PID 2 (batch) at 261 or more: then it is killed",
                "  memory.max of /box/batch below 71.0 MB: then that runs out first, with PID 2",
            ], "\(page)")
        #expect(!OOMKillText.page(spared).contains("WHAT WOULD HAVE SPARED IT"))
        // in the victim's own cgroup a limit would not tell them apart
        #expect(explanation(grower: 7).sparing.count == 2)
    }

    @Test("nothing recorded, or long before: said")
    func nothing() throws {
        let late = OOMExplanation(
            Samples.victim(1, "a", MB, at: 700), samples: [Samples.sample(0, [Samples.process(1, "a", MB)])])
        #expect(late.sampleAge == nil && late.growers.isEmpty && late.candidates.map(\.pid) == [1])
        #expect(late.nextStep.contains("nothing was recorded"))
    }

    @Test("frames come back in the order of their numbers, over a wrap; a damaged byte costs its frame alone")
    func frames() throws {
        let frames: [OOMFrame] =
            (0..<4).map { .sample(Samples.sample($0, [Samples.process(UInt32($0), "p\($0)", MB)])) }
            + [.kill(OOMMoment(time: WallTime(nanoseconds: 77), boot: 4, nanoseconds: 5), [1, 2, 3])]
        let parts = frames.enumerated().map { $1.bytes(number: UInt64($0)) }
        #expect(parts.allSatisfy { $0.count % 8 == 0 })
        // the last two stand before the first three, as after a wrap
        let file = parts[3] + parts[4] + [UInt8](repeating: 0xaa, count: 64) + parts[0] + parts[1] + parts[2]
        #expect(OOMFrame.all(in: file) == frames)
        let end = try #require(OOMFrame.end(of: file, in: file.indices))
        #expect(end.number == 4 && end.place == parts[3].count + parts[4].count)
        // in a part of it
        #expect(OOMFrame.end(of: file, in: end.place..<file.count)?.number == 2)
        // the head and the body that it tells the length of; behind them up to seven bytes of nothing
        let whole = 32 + Int(parts[3][4]) + Int(parts[3][5]) << 8
        for place in 0..<whole {
            var damaged = file
            damaged[place] ^= 0x55
            #expect(OOMFrame.all(in: damaged) == Array(frames[..<3]) + [frames[4]], "byte \(place)")
        }
        for length in 0..<whole { #expect(OOMFrame.all(in: Array(parts[3].prefix(length))) == []) }
        #expect(OOMFrame.all(in: []) == [] && OOMFrame.end(of: [], in: 0..<4096) == nil)
    }

    @Test("the largest by points, the largest of each limit, and what grows are recorded; five hundred at most")
    func selection() {
        var selection = OOMSelection()
        var processes = (0..<1000).map { Samples.process(UInt32($0), "p", UInt64(1000 - $0) * MB, cgroup: 1) }
        processes[900].cgroupID = 5
        func chosen() -> Set<UInt32> {
            Set(selection.choose(processes, limited: [[5]], totalPages: 1000, pageBytes: 4096).map(\.pid))
        }
        #expect(chosen() == Set(0..<32).union([900]))
        processes[950].residentBytes += MB
        #expect(chosen() == Set(0..<32).union([900, 950]))
        // never chosen, and the largest still: it is below the others
        processes[0].oomScoreAdj = -1000
        processes[999].oomScoreAdj = 1000
        #expect(!chosen().contains(0))
        processes = [Samples.process(1, "p", MB, adj: -1000, cgroup: 5)]
        #expect(chosen() == [1])
        let limited = (0..<200).map { number in Set([UInt64(number)]) }
        processes = (0..<4000).map { Samples.process(UInt32($0), "p", MB, cgroup: UInt64($0 % 200)) }
        #expect(selection.choose(processes, limited: limited, totalPages: 1000, pageBytes: 4096).count == 512)
    }

    @Test("growth is a process's own: not that of another with its number, in whatever order they are listed")
    func growth() {
        var selection = OOMSelection()
        // more than are taken for their size
        var processes = (1...100).map { Samples.process(UInt32($0), "p", UInt64(1000 - $0) * MB) }
        func grown(_ processes: [OOMProcess]) -> Set<UInt32> {
            Set(selection.choose(processes, limited: [], totalPages: 1000, pageBytes: 4096).map(\.pid))
                .subtracting(1...32)
        }
        #expect(grown(processes) == [])
        processes[59].residentBytes += 1
        processes[69].residentBytes -= 1
        #expect(grown(processes.reversed()) == [60])
        #expect(grown(processes) == [])
        processes[59].residentBytes += 1
        processes[59].startNanoseconds += 1
        processes[79].residentBytes += 1
        #expect(grown(Array(processes.dropFirst(70)) + processes.prefix(70)) == [80])
        // one that was not there is new, and comes to no growth
        processes.removeAll { $0.pid == 90 }
        #expect(grown(processes) == [])
        processes.append(Samples.process(90, "p", 911 * MB))
        #expect(grown(processes) == [])
        // by how much, at most sixteen
        for place in 40..<60 { processes[place].residentBytes += UInt64(place) }
        #expect(grown(processes) == Set(45...60))
    }

    @Test("the largest, in order, of equal ones the first, as a sort has them")
    func theLargest() {
        var generator = SystemRandomNumberGenerator()
        for size in [0, 1, 5, 200] {
            let numbers = (0..<size).map { ($0, Int.random(in: 0..<20, using: &generator)) }
            // stable, by the place beside
            let sorted = numbers.sorted { ($0.1, $1.0) > ($1.1, $0.0) }
            for count in [0, 1, 7, 500] {
                let kept = largest(count, of: numbers) { $0.1 < $1.1 }
                #expect(kept.map(\.0) == sorted.prefix(count).map(\.0), "\(numbers)")
            }
        }
    }

    @Test("records of the kernel's; half a record is none")
    func records() {
        var record = process_memory()
        (record.pid, record.oom_score_adj, record.start_ns, record.page_bytes) = (7, -5, 99, 16_384)
        (record.anon_pages, record.file_pages, record.shmem_pages, record.swap_pages) = (1, 2, 3, 4)
        (record.pgtables_bytes, record.cgroup_id) = (8192, 12)
        let bytes = withUnsafeBytes(of: record) { Array($0) }
        let processes = OOMProcess.all(bytes + bytes.dropLast())
        #expect(processes.count == 1)
        #expect(
            processes.first?.residentBytes == UInt64(6 * 16_384) && processes.first?.swapBytes == UInt64(4 * 16_384))
        #expect(processes.first?.oomScoreAdj == -5 && processes.first?.cgroupID == 12)
    }

    @Test("times in UTC, and what is none")
    func times() {
        #expect(WallTime(rfc3339: "2026-01-02T03:04:05Z")?.rfc3339 == "2026-01-02T03:04:05.000000000Z")
        #expect(WallTime(rfc3339: "2026-01-02T03:04:05.25Z")?.rfc3339 == "2026-01-02T03:04:05.250000000Z")
        for text in ["", "Z", "2026-01-02", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z", "2026-01-02T03:04:05.Z"] {
            #expect(WallTime(rfc3339: text) == nil, "\(text)")
        }
    }
}
