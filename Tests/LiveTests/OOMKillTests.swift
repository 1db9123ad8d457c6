// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibBPF
import Probes
import Testing

extension LiveTests {
    @Suite(.serialized) struct OOMKills {
        /// How far the kernel log's sizes may be off: on kernels with split counters it
        /// prints their central part alone, wrong by up to a batch a CPU.
        static let logSlackKB: Int = {
            let cpus = max(1, sysconf(Int32(_SC_NPROCESSORS_CONF)))
            return max(32, 2 * cpus) * cpus * 4 + 8
        }()

        /// Until 6.2 each thread keeps up to 64 pages to itself before it tells its
        /// address space (SPLIT_RSS_COUNTING): the kernel itself knows no better.
        static let touchedSlackKB = KernelVersion.running < KernelVersion(6, 2) ? 160 + 64 * 4 : 160

        private func check(_ kill: [String: Any], _ victim: [String: Any], _ truth: [String: Any]) {
            let log = victim.object("log")
            #expect(kill.int("victim_pid") == victim.int("pid"))
            #expect(kill.text("victim_comm") == victim.text("comm"))
            #expect(kill.int("victim_uid") == victim.int("uid"))
            #expect(kill.int("oom_score_adj") == victim.int("oom_score_adj"))
            #expect(kill.text("victim_cmdline") == victim.text("cmdline"))
            #expect(kill.int("trigger_pid") == victim.int("trigger_pid"))
            #expect(kill.int("trigger_tid") == victim.int("trigger_tid"))
            #expect(kill.text("cgroup") == truth.text("cgroup"))
            #expect(kill["signal_sent"] as? Bool == true)
            #expect(kill.text("constraint") == "memcg")
            #expect(kill.text("limit_cgroup") == truth.text("cgroup"))
            #expect(kill.int("limit_bytes") == truth.int("limit_bytes"))
            #expect((kill.int("usage_bytes") ?? 0) > (truth.int("limit_bytes") ?? 0) * 9 / 10)
            if let total = log.int("total_vm_kb") {
                #expect(kill.int("total_vm_bytes") == total * 1024)
            }
            for (ours, theirs) in [
                ("anon_rss_bytes", "anon_rss_kb"), ("file_rss_bytes", "file_rss_kb"),
                ("shmem_rss_bytes", "shmem_rss_kb"),
            ] {
                guard let kilobytes = log.int(theirs), let bytes = kill.int(ours) else { continue }
                #expect(abs(bytes / 1024 - kilobytes) <= Self.logSlackKB, "\(ours)")
            }
            if let tables = log.int("pgtables_kb"), let bytes = kill.int("pgtables_bytes") {
                #expect(abs(bytes / 1024 - tables) <= 8)
            }
            if let mask = log.text("gfp_mask") {
                #expect(kill.int("gfp_mask") == Int(mask.dropFirst(2), radix: 16))
                #expect(kill.text("gfp_flags") == log.text("gfp_flags"))
                #expect(kill.int("order") == log.int("order"))
            }
            // what the victim itself says it touched, to the page table's page
            let touched = (victim.int("touched_anon_kb") ?? 0) + (victim.int("base_anon_kb") ?? 0)
            if let anon = kill.int("anon_rss_bytes") {
                #expect(abs(anon / 1024 - touched) <= Self.touchedSlackKB, "anon \(anon / 1024) kB, touched \(touched)")
            }
        }

        @Test("23 kills in a memory cgroup, field by field", arguments: ["fentry", "kprobe", "stack"])
        func kills(context: String) throws {
            guard try availableRungs("oomkill", "context", of: [context]) == [context] else {
                return  // doctor says so, and the matrix shows which kernel has it
            }
            let (tool, rungs) = try Tool.tracing(
                ["oomkill"], environment: ["SWIFTMEM_RUNG": "oomkill.context=\(context)"])
            #expect(rungs.text("context") == context)
            let truth = try Workload.truth("oomhog", ["--kills", "23", "--adj", "17", "--pause-ms", "20"])
            let result = tool.stop()
            #expect(result.status == 0)
            let kills = result.objects(ofType: "oomkill").filter {
                $0.text("cgroup") == truth.text("cgroup")
            }
            let victims = truth.rows("victims")
            #expect(victims.count == 23)
            #expect(kills.count == 23)
            for (kill, victim) in zip(kills, victims) { check(kill, victim, truth) }
            #expect(Set(kills.compactMap { $0.text("kill_id") }).count == 23)
            let ends = result.objects(ofType: "oomkill_end").compactMap { $0.int("victim_pid") }
            #expect(Set(ends).isSuperset(of: victims.compactMap { $0.int("pid") }))
            let summary = try #require(result.objects(ofType: "oomkill_summary").first)
            #expect(summary.object("losses").values.allSatisfy { ($0 as? NSNumber)?.intValue == 0 })
            Live.record(
                "oomkill", Live.names(rungs), "kills", kills.count == 23,
                "\(kills.count) of 23")
        }

        @Test("victims are seen on every rung", arguments: ["tracepoint", "fentry", "kprobe"])
        func rungs(rung: String) throws {
            guard try availableRungs("oomkill", "victims", of: [rung]) == [rung] else { return }
            let (tool, rungs) = try Tool.tracing(
                ["oomkill"], environment: ["SWIFTMEM_RUNG": "oomkill.victims=\(rung)"])
            let truth = try Workload.truth("oomhog", ["--kills", "5"])
            let result = tool.stop()
            let kills = result.objects(ofType: "oomkill").filter {
                $0.text("cgroup") == truth.text("cgroup")
            }
            #expect(kills.compactMap { $0.int("victim_pid") } == truth.rows("victims").compactMap { $0.int("pid") })
            Live.record("oomkill", Live.names(rungs), "rungs", kills.count == 5, "\(kills.count) of 5")
        }

        @Test("a process that shares the victim's memory is tied to the same kill")
        func sharedMemory() throws {
            let (tool, _) = try Tool.tracing(["oomkill"])
            let truth = try Workload.truth("oomhog", ["--mode", "shared-mm", "--kills", "3"])
            let kills = tool.stop().objects(ofType: "oomkill").filter {
                $0.text("cgroup") == truth.text("cgroup")
            }
            #expect(kills.count == 6)
            // either of the two that share may be the kernel's choice
            let pairs = truth.rows("victims").flatMap { [$0.int("pid"), $0.int("sibling_pid")] }
            #expect(Set(kills.map { $0.int("victim_pid") }) == Set(pairs))
            // the log's report is limited to 10 in 5 s: it may be silent on some
            let chosen = truth.rows("victims").compactMap { $0.object("log").int("chosen_pid") }
            let ours = kills.filter { $0["shares_memory"] as? Bool == false }
                .compactMap { $0.int("victim_pid") }
            #expect(Set(ours).isSuperset(of: chosen))
            let byKill = Dictionary(grouping: kills) { $0.text("kill_id") ?? "" }
            #expect(byKill.count == 3)
            for pair in byKill.values {
                #expect(pair.map { $0["shares_memory"] as? Bool } == [false, true])
            }
        }

        @Test("the trigger is a small task, the victim a big one")
        func other() throws {
            let (tool, _) = try Tool.tracing(["oomkill"])
            let truth = try Workload.truth("oomhog", ["--mode", "other", "--kills", "3"])
            let kills = tool.stop().objects(ofType: "oomkill").filter {
                $0.text("cgroup") == truth.text("cgroup")
            }
            let victims = truth.rows("victims")
            #expect(kills.count == victims.count)
            for (kill, victim) in zip(kills, victims) {
                #expect(kill.int("victim_pid") == victim.int("pid"))
                #expect(kill.int("trigger_pid") == victim.int("trigger_pid"))
                #expect(kill.int("trigger_pid") != kill.int("victim_pid"))
            }
        }

        @Test("memory.oom.group kills all, in one OOM", .enabled(if: Live.unified))
        func group() throws {
            let (tool, _) = try Tool.tracing(["oomkill"])
            let truth = try Workload.truth("oomhog", ["--mode", "group", "--kills", "2"])
            let kills = tool.stop().objects(ofType: "oomkill").filter {
                $0.text("cgroup") == truth.text("cgroup")
            }
            let victims = truth.rows("victims").compactMap { $0.int("pid") }
            #expect(kills.compactMap { $0.int("victim_pid") }.sorted() == victims.sorted())
            #expect(Set(kills.compactMap { $0.text("kill_id") }).count == 2)
        }

        @Test("bcc's line, and the details below it")
        func text() throws {
            let tool = try Tool.start(["oomkill", "--stack"])
            #expect(try tool.line() == "Tracing OOM kills... Ctrl-C to stop.")
            let truth = try Workload.truth("oomhog", ["--kills", "1"])
            let victim = try #require(truth.rows("victims").first)
            let pid = try #require(victim.int("pid"))
            let lines = tool.stop(SIGINT).lines
            let first = try #require(lines.firstIndex { $0.contains("OOM kill of PID \(pid) ") })
            let pages = (truth.int("limit_bytes") ?? 0) / 4096
            #expect(
                lines[first].dropFirst(8).hasPrefix(
                    " Triggered by PID \(pid) (\"oomhog-0\"), OOM kill of PID \(pid) (\"oomhog-0\"),"
                        + " \(pages) pages, loadavg: "))
            #expect(lines.contains("  memory cgroup out of memory: \(truth.text("cgroup") ?? "")"))
            #expect(lines.contains("  GFP_KERNEL (0xcc0), order 0"))
            #expect(lines.contains { $0.contains("oom_kill_process+0x") })
            #expect(lines.contains { $0.hasPrefix("  command: oomhog-victim ") })
        }

        @Test("filters choose victims")
        func filters() throws {
            let (tool, _) = try Tool.tracing(["oomkill", "--comm", "oomhog-1"])
            _ = try Workload.truth("oomhog", ["--kills", "3"])
            #expect(tool.stop().objects(ofType: "oomkill").compactMap { $0.text("victim_comm") } == ["oomhog-1"])
        }
    }
}
