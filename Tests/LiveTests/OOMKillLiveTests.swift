// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibBPF
import Probes
import Testing

extension LiveTests {
    @Suite(.serialized, .exercises("oomkill")) struct OOMKills {
        /// How far the kernel log's sizes may be off: on kernels with split counters it
        /// prints their central part alone, wrong by up to a batch a CPU.
        static let logSlackKB: Int = {
            let cpus = max(1, sysconf(Int32(_SC_NPROCESSORS_CONF)))
            return max(32, 2 * cpus) * cpus * 4 + 8
        }()

        /// Until 6.2 each thread keeps up to 64 pages to itself before it tells its
        /// address space (SPLIT_RSS_COUNTING): the kernel itself knows no better.
        static let touchedSlackKB = KernelVersion.running < KernelVersion(6, 2) ? 160 + 64 * 4 : 160

        private func check(_ kill: OOMKillRow, _ victim: OOMHogTruth.Victim, _ truth: OOMHogTruth) {
            #expect(kill.victimPid == victim.pid)
            #expect(kill.victimComm == victim.comm)
            #expect(kill.victimUid == victim.uid)
            #expect(kill.oomScoreAdj == victim.oomScoreAdj)
            #expect(kill.victimCmdline == victim.cmdline)
            #expect(kill.triggerPid == victim.triggerPid)
            #expect(kill.triggerTid == victim.triggerTid)
            #expect(kill.cgroup == truth.cgroup)
            #expect(kill.signalSent == true)
            #expect(kill.constraint == "memcg")
            #expect(kill.limitCgroup == truth.cgroup)
            #expect(kill.limitBytes == truth.limitBytes)
            #expect((kill.usageBytes ?? 0) > truth.limitBytes * 9 / 10)
            if let log = victim.log { check(kill, log) }
            // what the victim itself says it touched, to the page table's page
            let touched = (victim.touchedAnonKb ?? 0) + (victim.baseAnonKb ?? 0)
            if let anon = kill.anonRssBytes {
                #expect(abs(anon / 1024 - touched) <= Self.touchedSlackKB, "anon \(anon / 1024) kB, touched \(touched)")
            }
        }

        /// Beside what the kernel log says of the kill.
        private func check(_ kill: OOMKillRow, _ log: OOMHogTruth.Log) {
            if let total = log.totalVmKb { #expect(kill.totalVmBytes == total * 1024) }
            for (name, ours, theirs) in [
                ("anon", kill.anonRssBytes, log.anonRssKb), ("file", kill.fileRssBytes, log.fileRssKb),
                ("shmem", kill.shmemRssBytes, log.shmemRssKb),
            ] {
                guard let kilobytes = theirs, let bytes = ours else { continue }
                #expect(abs(bytes / 1024 - kilobytes) <= Self.logSlackKB, "\(name)")
            }
            if let tables = log.pgtablesKb, let bytes = kill.pgtablesBytes {
                #expect(abs(bytes / 1024 - tables) <= 8)
            }
            if let mask = log.gfpMask {
                #expect(kill.gfpMask == Int(mask.dropFirst(2), radix: 16))
                #expect(kill.gfpFlags == log.gfpFlags)
                #expect(kill.order == log.order)
            }
        }

        /// Kills in oomhog's cgroup under the trace.
        private func trace(
            _ workload: [String], rung: String? = nil
        ) throws -> (kills: [OOMKillRow], truth: OOMHogTruth, finished: Finished, start: StartRow) {
            let (tool, start) = try Tool.tracing(["oomkill"], rung: rung.map { "oomkill.\($0)" })
            let truth: OOMHogTruth = try Workload.truth("oomhog", workload)
            let finished = tool.stop()
            #expect(finished.status == 0)
            let kills = try finished.rows(OOMKillRow.self).filter { $0.cgroup == truth.cgroup }
            TestRecord.note("\(kills.count) kills, \(truth.victims.count) victims")
            return (kills, truth, finished, start)
        }

        @Test(
            "23 kills in a memory cgroup, field by field", .tags(.brief),
            arguments: try Rungs.here("oomkill", "context", of: ["fentry", "kprobe", "stack"]))
        func kills(context: String) throws {
            let (kills, truth, finished, start) = try trace(
                ["--kills", "23", "--adj", "17", "--pause-ms", "20"], rung: "context=\(context)")
            #expect(start.stands("context", on: context))
            #expect(start.pageBytes == sysconf(Int32(_SC_PAGESIZE)))
            #expect(truth.victims.count == 23)
            #expect(kills.count == 23)
            for (kill, victim) in zip(kills, truth.victims) { check(kill, victim, truth) }
            #expect(Set(kills.map(\.killId)).count == 23)
            let ends = try finished.rows(OOMKillEndRow.self).map(\.victimPid)
            #expect(Set(ends).isSuperset(of: truth.victims.map(\.pid)))
            let summary = try #require(try finished.rows(OOMKillSummaryRow.self).first)
            #expect(summary.losses.causes.isEmpty, "\(summary.losses)")
        }

        @Test(
            "victims are seen on every rung", .tags(.brief),
            arguments: try Rungs.here("oomkill", "victims", of: ["tracepoint", "fentry", "kprobe"]))
        func rungs(rung: String) throws {
            let (kills, truth, _, start) = try trace(["--kills", "5"], rung: "victims=\(rung)")
            #expect(start.stands("victims", on: rung))
            #expect(kills.count == 5)
            #expect(kills.map(\.victimPid) == truth.victims.map(\.pid))
        }

        @Test("a process that shares the victim's memory is tied to the same kill")
        func sharedMemory() throws {
            let (kills, truth, _, _) = try trace(["--mode", "shared-mm", "--kills", "3"])
            #expect(kills.count == 6)
            // either of the two that share may be the kernel's choice
            let pairs = truth.victims.flatMap { [$0.pid, $0.siblingPid] }
            #expect(Set(kills.map(\.victimPid)) == Set(pairs.compactMap { $0 }))
            // the log's report is limited to 10 in 5 s: it may be silent on some
            let chosen = truth.victims.compactMap { $0.log?.chosenPid }
            let ours = kills.filter { $0.sharesMemory == false }.map(\.victimPid)
            #expect(Set(ours).isSuperset(of: chosen))
            let byKill = Dictionary(grouping: kills) { $0.killId }
            #expect(byKill.count == 3)
            for pair in byKill.values { #expect(pair.map(\.sharesMemory) == [false, true]) }
        }

        @Test("the trigger is a small task, the victim a big one")
        func other() throws {
            let (kills, truth, _, _) = try trace(["--mode", "other", "--kills", "3"])
            #expect(!kills.isEmpty)
            #expect(kills.count == truth.victims.count)
            for (kill, victim) in zip(kills, truth.victims) {
                #expect(kill.victimPid == victim.pid)
                #expect(kill.triggerPid == victim.triggerPid)
                #expect(kill.triggerPid != kill.victimPid)
            }
        }

        @Test(
            "memory.oom.group kills all, in one OOM", .tags(.brief),
            .enabled(if: Live.unified, "cgroup v1 has no memory.oom.group"))
        func group() throws {
            let (kills, truth, _, _) = try trace(["--mode", "group", "--kills", "2"])
            #expect(!kills.isEmpty)
            #expect(kills.map(\.victimPid).sorted() == truth.victims.map(\.pid).sorted())
            #expect(Set(kills.map(\.killId)).count == 2)
        }

        @Test("bcc's line, and the details below it")
        func text() throws {
            let tool = try Tool.start(["oomkill", "--stack"])
            #expect(try tool.line() == "Tracing OOM kills... Ctrl-C to stop.")
            let truth: OOMHogTruth = try Workload.truth("oomhog", ["--kills", "1"])
            let pid = try #require(truth.victims.first).pid
            let lines = tool.stop(SIGINT).lines
            let first = try #require(lines.firstIndex { $0.contains("OOM kill of PID \(pid) ") })
            let pages = truth.limitBytes / sysconf(Int32(_SC_PAGESIZE))
            #expect(
                lines[first].dropFirst(8).hasPrefix(
                    " Triggered by PID \(pid) (\"oomhog-0\"), OOM kill of PID \(pid) (\"oomhog-0\"),"
                        + " \(pages) pages, loadavg: "))
            #expect(lines.contains("  memory cgroup out of memory: \(truth.cgroup)"))
            #expect(lines.contains("  GFP_KERNEL (0xcc0), order 0"))
            #expect(lines.contains { $0.contains("oom_kill_process+0x") })
            #expect(lines.contains { $0.hasPrefix("  command: oomhog-victim ") })
        }

        @Test("filters choose victims")
        func filters() throws {
            let tool = try Tool.tracing(["oomkill", "--comm", "oomhog-1"]).tool
            let truth: OOMHogTruth = try Workload.truth("oomhog", ["--kills", "3"])
            #expect(truth.victims.count == 3)
            #expect(try tool.stop().rows(OOMKillRow.self).map(\.victimComm) == ["oomhog-1"])
        }
    }
}
