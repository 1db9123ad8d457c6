// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// The recorder, and what it tells after a kill.
    @Suite(.serialized, .exercises("oomkill")) struct OOMRecords {
        static let limit = 96 << 20

        /// A memory cgroup with a limit; removed with it.
        final class LimitedCgroup {
            let directory: String
            let path: String

            init() throws {
                path = "/swiftmem-record-\(UInt16.random(in: 0 ... .max))"
                directory = Live.memoryCgroups + path
                if Live.unified {
                    try? "+memory".write(
                        toFile: Live.memoryCgroups + "/cgroup.subtree_control", atomically: false, encoding: .utf8)
                }
                guard mkdir(directory, 0o755) == 0 else { throw Live.lacking("no cgroup can be made at \(directory)") }
                let file = Live.unified ? "memory.max" : "memory.limit_in_bytes"
                try "\(OOMRecords.limit)".write(toFile: "\(directory)/\(file)", atomically: false, encoding: .utf8)
                // a guest has swap, which would take it
                let swap = "\(directory)/memory.swap.max"
                if access(swap, F_OK) == 0 { try "0".write(toFile: swap, atomically: false, encoding: .utf8) }
            }

            /// Starts a process that grows in it by so many MiB a second.
            func grower(_ rate: Int, adjustment: Int = 0) throws -> Running {
                let words =
                    #"echo $$ >"$1/cgroup.procs"; [ $4 = 0 ] || echo $4 >/proc/$$/oom_score_adj; exec "$2" "$3""#
                let running = try Running(
                    "/bin/bash",
                    ["-c", words, "bash", directory, try Fixture.grows.path(), "\(rate)", "\(adjustment)"])
                try running.row(ReadyRow.self)
                return running
            }

            deinit { rmdir(directory) }
        }

        @Test("two that grow below one limit: which, how fast, since when, and why the larger one")
        func growers() throws {
            let cgroup = try LimitedCgroup()
            let store = "\(NSTemporaryDirectory())/record-\(UInt32.random(in: 0 ... .max))"
            defer { try? FileManager.default.removeItem(atPath: store) }
            let tool = try Tool.tracing(["oomkill", "--record", store, "--why"]).tool
            let slow = try cgroup.grower(2), fast = try cgroup.grower(6)
            let kill = try tool.row(OOMKillRow.self)
            #expect(kill.victimPid == fast.pid)
            let atOnce = try tool.row(OOMKillExplanationRow.self)
            #expect(atOnce.victimPid == fast.pid && atOnce.growers.map(\.pid) == [Int(fast.pid), Int(slow.pid)])
            #expect(atOnce.source == "recorder" && atOnce.candidates.map(\.chosen) == [true, false])
            let finished = tool.stop(SIGINT), kills = try finished.rows(OOMKillRow.self).count
            #expect(finished.status == 0 && kills >= 1)
            _ = (slow.stop(SIGKILL), fast.stop(SIGKILL))
            // as a container's is, once it has ended: it is not asked any more
            #expect(rmdir(cgroup.directory) == 0)

            // where the first victim's memory comes back late, the kernel kills the other one too
            let explained = try Tool.run(["oomkill", "--explain", "1", "--from", store, "--json"])
            let row = try #require(try explained.rows(OOMKillExplanationRow.self).first)
            #expect(row.victimPid == fast.pid && row.constraint == "memcg")
            #expect(row.limitBytes == Self.limit && row.limitCgroup == cgroup.path)
            #expect(row.growers.map(\.pid) == [Int(fast.pid), Int(slow.pid)])
            #expect(row.growers.allSatisfy { $0.cgroup == cgroup.path })
            for (grower, rate) in zip(row.growers, [6.0, 2.0]) {
                let off = grower.bytesPerSecond / (rate * 1_048_576) - 1
                TestRecord.note("\(rate) MB/s: \(off * 100) % off")
                #expect(abs(off) < (Live.inMatrix ? 0.05 : 0.02), "\(grower.bytesPerSecond)")
            }
            #expect(row.candidates.map(\.pid) == [Int(fast.pid), Int(slow.pid)])
            #expect(row.candidates.map(\.chosen) == [true, false])
            #expect((row.usage.last?.bytes ?? 0) > Self.limit * 95 / 100)
            #expect(row.nextStep.contains("process \(fast.pid) (grows"))
            #expect((row.freedBytes ?? 0) > Self.limit / 4 && (row.freedAfterSeconds ?? 99) < 10)

            // for people, and what is not there
            let page = try Tool.run(["oomkill", "--explain", "1", "--from", store])
            #expect(page.status == 0 && page.lines.contains("  memory cgroup \(cgroup.path)"))
            #expect(try Tool.run(["oomkill", "--explain", "latest", "--from", store]).status == 0)
            #expect(try Tool.run(["oomkill", "--explain", "\(kills + 1)", "--from", store]).status == 64)
        }

        /// The same again: two that grow, and who is killed.
        private func kill(slow: Int = 0, fast: Int = 0) throws -> (
            victimIsFast: Bool, row: OOMKillExplanationRow
        ) {
            let cgroup = try LimitedCgroup()
            let tool = try Tool.tracing(["oomkill", "--why", "--advise"]).tool
            let slower = try cgroup.grower(8, adjustment: slow), faster = try cgroup.grower(24, adjustment: fast)
            let row = try tool.row(OOMKillExplanationRow.self)
            #expect([slower.pid, faster.pid].contains(Int32(row.victimPid)))
            _ = (tool.stop(SIGINT), slower.stop(SIGKILL), faster.stop(SIGKILL))
            return (row.victimPid == Int(faster.pid), row)
        }

        @Test("what --advise says would have spared the victim does spare it, when done")
        func advised() throws {
            let first = try kill()
            #expect(first.victimIsFast)
            let lower = try #require(first.row.advice.first { $0.setting == "oom_score_adj_at_most" })
            let higher = try #require(first.row.advice.first { $0.setting == "oom_score_adj_at_least" })
            #expect(lower.pid == first.row.victimPid && higher.pid != first.row.victimPid)
            #expect(lower.chosenPid == higher.pid && higher.chosenPid == higher.pid)
            TestRecord.note("at most \(lower.value), at least \(higher.value)")
            #expect(try !kill(slow: higher.value).victimIsFast)
            // to lower it is a privilege, which not every machine gives
            let may = try Tool.shell("(echo -1 >/proc/$BASHPID/oom_score_adj) 2>/dev/null").status == 0
            if may { #expect(try !kill(fast: lower.value).victimIsFast) }
            TestRecord.note(may ? "both done" : "oom_score_adj may not be lowered here")
        }

        @Test(
            "the whole machine runs out: the recorder lives, and each kill is explained from what it wrote",
            .enabled(if: Live.inGuest, "it would take all memory of the machine: guests alone"))
        func global() throws {
            let store = "\(NSTemporaryDirectory())/record-\(UInt32.random(in: 0 ... .max))"
            defer { try? FileManager.default.removeItem(atPath: store) }
            let tool = try Tool.tracing(["oomkill", "--record", store]).tool
            let kills = ProcessInfo.processInfo.environment["SWIFTMEM_GLOBAL_KILLS"].flatMap { Int($0) } ?? 2
            let truth: GlobalOOMTruth = try Workload.truth(
                "oomhog", ["--mode", "global", "--yes-really", "--kills", "\(kills)", "--pause-ms", "2500"])
            let pids = truth.victims.map(\.pid)
            #expect(pids.count == kills)
            let finished = tool.stop(SIGINT)
            #expect(finished.status == 0)
            let rows = try finished.rows(OOMKillRow.self)
            #expect(rows.map(\.victimPid) == pids && rows.allSatisfy { $0.constraint == "global" })
            var ages: [Double] = []
            for (index, pid) in pids.enumerated() {
                let explained = try Tool.run(["oomkill", "--explain", "\(index + 1)", "--from", store, "--json"])
                let row = try #require(try explained.rows(OOMKillExplanationRow.self).first)
                #expect(row.victimPid == pid && row.constraint == "global" && row.limitCgroup == nil)
                #expect(row.growers.first?.pid == pid)
                #expect(row.candidates.first?.pid == pid && row.candidates.first?.chosen == true)
                ages.append(try #require(row.sampleAgeSeconds))
            }
            TestRecord.note("\(kills) kills; last look before them at most \(ages.max() ?? -1) s old")
            // a second, and what an emulated machine without memory takes for it
            #expect(ages.allSatisfy { $0 < 4 }, "\(ages)")
        }

        @Test("no directory, no recorder's file, two recorders: one clear line each", .tags(.brief))
        func wrong() throws {
            let none = try Tool.run(["oomkill", "--explain", "latest", "--from", "/nonexistent"])
            #expect(none.status == 64 && none.errors.contains("record first"))
            let store = "\(NSTemporaryDirectory())/record-\(UInt32.random(in: 0 ... .max))"
            defer { try? FileManager.default.removeItem(atPath: store) }
            let first = try Tool.tracing(["oomkill", "--record", store]).tool
            let second = try Tool.run(["oomkill", "--record", store, "-d", "1"])
            #expect(second.status == 69 && second.errors.contains("another recorder has it"))
            let empty = try Tool.run(["oomkill", "--explain", "latest", "--from", store])
            #expect(empty.status == 64 && empty.errors.contains("no kill is recorded"))
            #expect(first.stop(SIGTERM).status == 0)
            try "something else".write(toFile: "\(store)/oomkill.ring", atomically: false, encoding: .utf8)
            let other = try Tool.run(["oomkill", "--explain", "latest", "--from", store])
            #expect(other.status == 64 && other.errors.contains("was not written by"))
            #expect(try Tool.run(["oomkill", "--record", "/proc/nowhere"]).status != 0)
        }
    }
}
