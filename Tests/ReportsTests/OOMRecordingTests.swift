// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

/// What the frames of a recorder's file come to.
@Suite struct OOMRecordingTests {
    typealias Samples = OOMRecordSamples
    private let MB = OOMRecordSamples.MB

    /// - Parameters:
    ///   - second: since `began`, by the boot's clock.
    ///   - stepped: seconds by which the clock is ahead of it.
    private func moment(_ second: Double, stepped: Double = 0, boot: UInt64 = 1) -> OOMMoment {
        OOMMoment(
            time: WallTime(nanoseconds: Samples.began + Int64((second + stepped) * 1e9)), boot: boot,
            nanoseconds: UInt64(1_000_000_000_000 + second * 1e9))
    }

    private static func killed(_ pid: UInt32, id: UInt64 = 9) -> [UInt8] {
        var record = oomkill_event()
        record.kind = OOMKILL_VICTIM.rawValue
        (record.kill_id, record.trigger_pid, record.victim_pid) = (id, pid, pid)
        (record.known, record.page_bytes, record.constraint) = (0x3f, 4096, 3)
        (record.total_pages, record.limit_pages, record.usage_pages) = (51_200, 51_200, 51_200)
        record.anon_pages = 94 << 8
        withUnsafeMutableBytes(of: &record.domain) { $0.copyBytes(from: "box\0".utf8) }
        record.domain_len = 4
        return withUnsafeBytes(of: record) { Array($0) }
    }

    private static func ended(_ pid: UInt32, id: UInt64 = 9) -> [UInt8] {
        var record = oomkill_end()
        (record.kind, record.kill_id, record.victim_pid) = (OOMKILL_END.rawValue, id, pid)
        (record.since_kill_ns, record.before_pages, record.after_pages) = (25_000_000, 1000, 200)
        record.page_bytes = 4096
        return withUnsafeBytes(of: record) { Array($0) }
    }

    static func sent(_ sender: String, to pid: UInt32, cgroup: String = "a\0box\0") -> [UInt8] {
        var record = oomkill_sent()
        (record.kind, record.signal, record.page_bytes) = (OOMKILL_SENT.rawValue, 9, 4096)
        (record.sender_pid, record.victim_pid, record.known) = (5, pid, OOM_HAS_MM.rawValue)
        record.anon_pages = 94 << 8
        withUnsafeMutableBytes(of: &record.sender_comm) { $0.copyBytes(from: sender.utf8.prefix(15)) }
        withUnsafeMutableBytes(of: &record.victim_comm) { $0.copyBytes(from: "leak".utf8) }
        withUnsafeMutableBytes(of: &record.cgroup) { $0.copyBytes(from: cgroup.utf8) }
        record.cgroup_len = UInt32(cgroup.utf8.count)
        return withUnsafeBytes(of: record) { Array($0) }
    }

    /// A leak of 8 MB/s.
    private func sample(_ second: Int64, stepped: Double = 0, boot: UInt64 = 1) -> OOMFrame {
        var sample = Samples.sample(
            second, [Samples.process(20, "leak", UInt64(10 + 8 * second) * MB)], usage: UInt64(110 + 8 * second) * MB)
        sample.time = moment(Double(second), stepped: stepped).time
        sample.boot = boot
        return .sample(sample)
    }

    @Test("a clock that is set back and forth while it is recorded changes neither order nor rates nor ages")
    func steps() throws {
        let ahead: [Double] = [0, 0, 0, 7200, 7200, 7200, -3600, -3600, -3600, 90, 90]
        let frames =
            (Int64(0)...10).map { sample($0, stepped: ahead[Int($0)]) }
            + [.kill(moment(10.5, stepped: -86_400), Self.killed(20)), sample(11, stepped: 5)]
        let recording = OOMRecording(frames)
        #expect(recording.kills.count == 1)
        let explanation = recording.explanation(of: 0)
        #expect(explanation.sampleAge == 0.5 && explanation.usage.count == 12)
        let grower = try #require(explanation.growers.first)
        #expect(abs(grower.bytesPerSecond / 1_048_576 - 8) < 0.01)
        // in the clock of the kill
        #expect(explanation.victim.time == moment(10.5, stepped: -86_400).time)
        #expect(abs(Double(grower.since.nanoseconds - moment(0, stepped: -86_400).time.nanoseconds)) < 1e9)
        #expect(
            zip(explanation.usage, explanation.usage.dropFirst()).allSatisfy {
                $0.time.nanoseconds < $1.time.nanoseconds
            })
    }

    @Test("samples of another boot are none of a kill's, whatever its clocks say")
    func boots() {
        let frames =
            (Int64(0)...9).map { sample($0, boot: 2) } + [sample(9), sample(10), .kill(moment(10.5), Self.killed(20))]
        let explanation = OOMRecording(frames).explanation(of: 0)
        #expect(explanation.usage.count == 3 && explanation.sampleAge == 0.5)
        #expect(moment(3).seconds(since: moment(1)) == 2)
        #expect(moment(1).seconds(since: moment(3)) == nil && moment(3, boot: 2).seconds(since: moment(1)) == nil)
    }

    @Test("what came of it: its memory back, the one that took its place, and when the same ran out again")
    func aftermath() throws {
        let restart = OOMRestart(
            kill: moment(10.5), killedPID: 20, pid: 31, comm: "leak", cgroup: CgroupPath("/box/leak.service"),
            startNanoseconds: moment(12.5).nanoseconds)
        let frames: [OOMFrame] =
            (Int64(0)...10).map { sample($0) } + [
                .kill(moment(10.5), Self.killed(20)), .kill(moment(10.5), Self.killed(21)),
                .end(moment(10.6), Self.ended(21)), .end(moment(10.6), Self.ended(20)), .restart(restart),
                .kill(moment(40.5), Self.killed(31, id: 10)),
            ]
        let recording = OOMRecording(frames)
        let after = try #require(recording.explanation(of: 0).aftermath)
        #expect(after.freedBytes == UInt64(800 * 4096) && after.freedAfterSeconds == 0.025)
        #expect(after.restart == restart && after.nextKillAfterSeconds == 30)
        #expect(restart.afterSeconds == 2)
        let page = OOMKillText.page(recording.explanation(of: 0))
        let at = try #require(page.firstIndex(of: "WHAT CAME OF IT"))
        #expect(
            page[(at + 1)...].prefix(3) == [
                "  3.1 MB freed, 0.025 s after the kill",
                "  started again 2.0 s after it: PID 31 (leak), unit leak.service",
                "  the same ran out again 30.0 s after it",
            ], "\(page)")
        let last = try #require(recording.explanation(of: 2).aftermath)
        #expect(last == OOMAftermath())
        let sole = OOMKillText.page(recording.explanation(of: 2))
        #expect(sole.contains("  its memory was not seen to come back"))
    }

    @Test("a kill by a program: who, why it is thought so, who grew; a plain kill -9 is none")
    func programs() throws {
        let short = MemoryShortage(totalBytes: 1000 * MB, availableBytes: 50 * MB, some: 20, full: 12.5)
        let frames: [OOMFrame] =
            (Int64(0)...10).map { sample($0) } + [
                .sent(moment(10.5), short, Self.sent("earlyoom", to: 20)),
                .sent(moment(10.6), short, Self.sent("kill", to: 21)),
                .sent(moment(11), nil, Self.sent("systemd-oomd", to: 22)),
            ]
        let recording = OOMRecording(frames)
        #expect(recording.kills.map(\.program?.killer.name) == ["earlyoom", "systemd-oomd"])
        #expect(recording.kills.map(\.victim.victimPID) == [20, 22])
        let explanation = recording.explanation(of: 0)
        #expect(explanation.growers.map(\.pid) == [20] && explanation.candidates.first?.isChosen == true)
        #expect(explanation.sparing.isEmpty && explanation.domain == nil && explanation.limitBytes == 1024 * MB)
        #expect(explanation.program?.machine == short && explanation.aftermath?.nextKillAfterSeconds == 0.5)
        #expect(recording.explanation(of: 1).program?.machine == nil)
        let page = OOMKillText.page(explanation)
        #expect(page[0].hasPrefix("earlyoom's SIGKILL to PID 20 (\"leak\"), "))
        #expect(page.contains("WHO HELD MOST: pages, and what oom_score_adj adds"))
        #expect(page.contains("  available then: 50.0 of 1000.0 MB; pressure full 12.5 % of 10 s"))
        #expect(page.joined(separator: " ").contains("inferred from: the   sender's name, the machine's shortage"))
        #expect(page.allSatisfy { $0.count <= 80 }, "\(page.filter { $0.count > 80 })")
    }

    @Test("the bytes of each kind of frame come back; what is cut does not")
    func kinds() {
        let restart = OOMRestart(
            kill: moment(1), killedPID: 2, pid: 3, comm: "a", cgroup: CgroupPath("/b"), startNanoseconds: 4)
        let short = MemoryShortage(totalBytes: 10, availableBytes: 5, some: nil, full: 1.5)
        let frames: [OOMFrame] = [
            .kill(moment(2), [1]), .sent(moment(3), short, [2, 3]), .sent(moment(4), nil, []), .end(moment(5), [4]),
            .restart(restart), sample(6),
        ]
        #expect(OOMFrame.all(in: frames.enumerated().flatMap { $1.bytes(number: UInt64($0)) }) == frames)
        // kept twice
        #expect(OOMFrame.all(in: frames[0].bytes(number: 7) + frames[0].bytes(number: 7)) == [frames[0]])
    }

    @Test("a write that ends at any byte, over older frames: each frame that it did not reach is there, and no other")
    func torn() {
        let old = (Int64(0)..<12).map { sample($0) }
        let parts = old.enumerated().map { $1.bytes(number: UInt64($0)) }
        let file = parts.flatMap { $0 }
        let new = OOMFrame.kill(moment(12), Self.killed(20))
        let written = new.bytes(number: 12)
        let starts = parts.indices.map { index in parts[..<index].reduce(0) { $0 + $1.count } }
        // behind them up to seven bytes of nothing
        let whole = 32 + Int(written[4]) + Int(written[5]) << 8
        for count in 0...written.count {
            let found = OOMFrame.all(in: Array(written.prefix(count)) + file.dropFirst(count))
            let untouched = zip(starts, old).filter { $0.0 >= count }.map(\.1)
            #expect(found.contains(new) == (count >= whole), "\(count) bytes")
            // the first that it reached may differ in later bytes alone
            let others = found.filter { $0 != new }
            #expect(Array(others.suffix(untouched.count)) == untouched, "\(count) bytes")
            #expect(others.count <= untouched.count + 1 && others.allSatisfy(old.contains), "\(count) bytes")
        }
    }
}
