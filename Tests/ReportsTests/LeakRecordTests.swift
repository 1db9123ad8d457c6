// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Reports

/// Recordings of memleak: what is written is read again, and what is not whole is told from what is.
@Suite struct LeakRecords {
    /// All records up to the first that can't be read.
    private static func read(_ bytes: [UInt8]) -> (records: [LeakRecord], error: LeakRecordingError?) {
        var records: [LeakRecord] = []
        do throws(LeakRecordingError) {
            var recording = try LeakRecording(bytes)
            while let record = try recording.next() { records.append(record) }
        } catch {
            return (records, error)
        }
        return (records, nil)
    }

    /// Plays a file, as --replay does.
    private static func play(
        _ bytes: [UInt8], _ options: LeakViewOptions = LeakViewOptions()
    ) throws -> (reports: [MemLeakReport], view: LeakView) {
        var player = LeakPlayer(options, wantsAll: true)
        var reports: [MemLeakReport] = []
        let (records, error) = read(bytes)
        try #require(error == nil)
        for record in records {
            if case .report(let report)? = player.play(record) { reports.append(report) }
        }
        return (reports, try #require(player.view))
    }

    @Test("every record is read as it was written", arguments: [false, true])
    func roundTrip(isKernel: Bool) {
        let sample = LeakRecordSample(isKernel: isKernel)
        let (records, error) = Self.read(sample.file)
        #expect(error == nil)
        #expect(records.count == sample.records.count)
        for (read, written) in zip(records, sample.records) {
            guard case .look(let mine) = read, case .look(let theirs) = written, theirs.made != nil else {
                #expect(read == written)
                continue
            }
            // what is never outstanding is no stack of the file's
            #expect(mine.sums == theirs.sums && mine.time == theirs.time && mine.unmatched == theirs.unmatched)
            #expect(mine.made == theirs.made?.filter { $0.key.stack != 77 })
        }
    }

    @Test(
        "a replay shows what the run has shown, in any order and by any merging",
        arguments: MemLeakOrder.allCases, [SampleWeight.oneIn(1), .oneIn(7), .distance(300)])
    func replay(order: MemLeakOrder, weight: SampleWeight) throws {
        for granularity in StackID.Granularity.allCases {
            for isKernel in [false, true] {
                let options = LeakViewOptions(
                    top: 3, order: order, granularity: granularity,
                    suppressions: granularity == .address ? try LeakSuppressions("leak:allocate2") : nil,
                    keepsPeak: true)
                let live = LeakRecordSample(options, weight: weight, isKernel: isKernel)
                // the run that was recorded had other options
                let file = LeakRecordSample(weight: weight, isKernel: isKernel).file
                let (reports, view) = try Self.play(file, options)
                // a file has not what rounding keeps back of an estimate
                if weight != .distance(300) { #expect(reports == live.reports) }
                #expect(LeakRecordSample.lines(reports, view) == LeakRecordSample.lines(live.reports, view))
                #expect(reports.count == 4)
                #expect(view.peakLines == live.view.peakLines && view.peakLines.count > 3)
                #expect(view.peakJSON.map { $0.text() } == live.view.peakJSON.map { $0.text() })
            }
        }
    }

    @Test("what a replay shows: the leak and its verdict, one row of two places, a name that came late")
    func shown() throws {
        let (reports, view) = try Self.play(LeakRecordSample().file)
        let last = try #require(reports.last)
        let leak = try #require(last.stacks.first)
        #expect(leak.trend.verdict == .leaking && leak.frames?.first?.symbol == "allocate1")
        #expect(leak.sum.count == 60 && leak.sum.bytes == 60 * 33 && leak.comm == "app")
        #expect(last.stacks.contains { $0.frames == nil && $0.sum.bytes == 5 })
        #expect(last.stacks.contains { $0.frames?.first?.symbol == "allocate3" })
        #expect(!last.stacks.contains { $0.pid == 8 } && reports[0].stacks.contains { $0.pid == 8 })
        #expect(view.largestLeak == leak.trend.growth?.value)
        #expect(view.profile?.stacks == last.stacks)
    }

    @Test("a baseline: what was there is left out, verdicts begin anew, and a replay does the same")
    func baseline() throws {
        let live = LeakRecordSample(hasBaseline: true)
        let (reports, view) = try Self.play(live.file)
        #expect(reports == live.reports && view.run.start == LeakRecordSample.start + 5 * LeakRecordSample.second)
        let last = try #require(reports.last), leak = try #require(last.stacks.first)
        // 26 of the sixty were there
        #expect(leak.frames?.first?.symbol == "allocate1" && leak.sum.count == 34)
        #expect(last.watch.watched == 7 && leak.trend.verdict == .growing)
        #expect(!last.stacks.contains { $0.frames == nil || $0.frames?.first?.symbol == "allocate2" })
        #expect(last.baseline?.count == 44 && reports.first?.baseline == nil)
    }

    @Test("the peak: the stacks of the highest moment, though they are gone at the end; files are of it")
    func peak() throws {
        let run = LeakRun(start: 0, patience: 9, mayLeak: true, target: "pid 7")
        var view = LeakView(run, LeakViewOptions(top: 1, keepsPeak: true), wantsAll: true)
        for (step, bytes) in [(1, 100), (2, 900), (3, 900), (4, 20)] as [(UInt64, UInt64)] {
            var table = OutstandingTable(youngest: .max, grid: view.watch.grid(at: step * 1_000_000_000))
            for stack in 1...2 {
                table.add(pid: 7, address: 0, bytes: bytes / UInt64(stack), time: 5, stack: UInt64(stack))
            }
            let look = LeakLook(
                time: step * 1_000_000_000, wall: WallTime(nanoseconds: Int64(step)), sums: table.sites, made: nil,
                unmatched: nil)
            let site: (AllocationSite) -> LeakSite = { captured in
                LeakSite(frames: [MemLeakFrame(address: captured.stack, symbol: "f\(captured.stack)", module: "app")])
            }
            view.take(look, site: site)
            let moment = MemLeakReport(
                time: look.wall, monotonic: look.time, total: table.total, blocks: [], counters: MemLeakCounters(),
                losses: Losses(), sampleRate: 1)
            _ = view.report(moment, comm: { _ in "app" }, site: site)
        }
        let peak = try #require(view.peak)
        // the first of two that are as high
        #expect(peak.time == WallTime(nanoseconds: 2) && peak.total.bytes == 1350 && peak.total.count == 2)
        #expect(view.profile?.bytes == 1350 && view.profile?.stacks.map(\.comm) == ["app", "app"])
        #expect(view.peakLines.count == 3 && view.peakLines[0].hasSuffix("after 2 s; top 1 stacks:"))
        #expect(view.peakLines[1] == "\t900 bytes in 1 allocations from stack")
        #expect(view.peakJSON.count == 2)
    }

    /// Where records begin.
    private static func begins(_ bytes: [UInt8]) throws -> [Int] {
        var recording = try LeakRecording(bytes)
        var begins = [recording.offset]
        while try recording.next() != nil { begins.append(recording.offset) }
        return begins
    }

    @Test("cut at every length: what is before is read, and where it ends is said")
    func cut() throws {
        let file = LeakRecordSample().smallFile
        let whole = Self.read(file).records, begins = try Self.begins(file)
        for length in 0..<file.count {
            let (records, error) = Self.read(Array(file.prefix(length)))
            guard length >= LeakRecordFile.head.count else {
                #expect(error == (length < LeakRecordFile.mark.count ? .notARecording : .cut(offset: 0)))
                continue
            }
            let last = begins.lastIndex { $0 <= length } ?? 0
            #expect(records.count == last && records == Array(whole.prefix(last)))
            #expect(error == (begins[last] == length ? nil : .cut(offset: begins[last])))
        }
    }

    @Test("every byte another: the record that it is in is found, and those before it are read")
    func flipped() throws {
        let file = LeakRecordSample().smallFile
        let whole = Self.read(file).records, begins = try Self.begins(file)
        for place in file.indices {
            for flip: UInt8 in [0xff, 0x01, 0x80] {
                var bytes = file
                bytes[place] ^= flip
                let (records, error) = Self.read(bytes)
                guard let begin = begins.last(where: { $0 <= place }), place >= LeakRecordFile.head.count else {
                    switch error {
                    case .notARecording, .version, .cut(offset: 0): break
                    default: Issue.record("byte \(place) of the head: \(String(describing: error))")
                    }
                    continue
                }
                // a length that leads beyond the file looks like an end
                #expect(error == .damaged(offset: begin) || error == .cut(offset: begin), "byte \(place)")
                #expect(records == Array(whole.prefix(begins.firstIndex(of: begin) ?? 0)))
            }
        }
    }

    @Test("a forger's bodies, with right checksums: read or refused, never a crash")
    func forged() throws {
        let file = LeakRecordSample(isKernel: true).file
        let begins = try Self.begins(file)
        var random = SplitMix(state: 11)
        var refused = 0
        for _ in 0..<400 {
            var sum = FNV1a(), bytes = LeakRecordFile.head
            sum.add(bytes)
            for (begin, end) in zip(begins, begins.dropFirst()) {
                var record = Array(file[begin..<end - LeakRecordFile.sumBytes])
                if random.next() % 8 == 0, record.count > LeakRecordFile.headBytes {
                    let place =
                        LeakRecordFile.headBytes
                        + Int(random.next() % UInt64(record.count - LeakRecordFile.headBytes))
                    record[place] = UInt8(truncatingIfNeeded: random.next())
                }
                sum.add(record)
                var all = ByteWriter()
                all.bytes = record
                all.add(sum.value)
                bytes += all.bytes
            }
            let (records, error) = Self.read(bytes)
            if error != nil { refused += 1 }
            var player = LeakPlayer(LeakViewOptions(), wantsAll: true)
            for record in records {
                if case .report(let report)? = player.play(record), let view = player.view {
                    _ = LeakRecordSample.lines([report], view)
                }
            }
        }
        #expect(refused > 40)
    }

    @Test("what is no recording, and what is of another version, is said to be")
    func others() {
        #expect(Self.read([]).error == .notARecording)
        #expect(Self.read(Array("swiftmem oomkill 1\n".utf8)).error == .notARecording)
        #expect(Self.read(Array("swiftmem memleak 2\nwhatever".utf8)).error == .version("2"))
        #expect(Self.read(LeakRecordFile.head).records.isEmpty && Self.read(LeakRecordFile.head).error == nil)
    }

    @Test("a record that was taken back leaves no trace: another may come in its stead")
    func takenBack() {
        var writer = LeakRecordWriter()
        var bytes = writer.head()
        bytes += writer.bytes(.note("a"))
        _ = writer.bytes(.note("too long"))
        writer.takeBack()
        let end = writer.bytes(.end(isFull: true))
        #expect(end.count == LeakRecordWriter.endBytes)
        #expect(Self.read(bytes + end).records == [.note("a"), .end(isFull: true)])
    }
}
