// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// memstall beside workload-memstall: one task that stalls for one reason. Its truth is PSI's and delay accounting's.
    @Suite(.serialized, .exercises("memstall")) struct MemStalls {
        private struct Observed {
            let truth: MemStallTruth
            /// The task's own, by cause.
            let rows: [String: MemStallRow]
            /// Everybody's.
            let all: [MemStallRow]
            /// The one of the task's cgroup; nil where the tool has none.
            let group: MemStallCgroupRow?
            let culprits: [MemStallCulpritRow]
            let interval: MemStallIntervalRow
            let hints: [String]
            let reclaim: [MemStallReclaimRow]
            let start: StartRow

            /// Nanoseconds of the task's waits that PSI counts.
            var psi: Int { rows.values.map(\.psiNs).reduce(0, +) }
        }

        /// The workload to its end under the trace; `rung` as in `sections=kprobe`.
        private func trace(
            _ arguments: [String], each seconds: String = "1000", options: [String] = [], rung: String? = nil
        ) throws -> Observed {
            // it holds its cgroups until they are read
            let workload = try Workload.start(
                "memstall", ["--wait", "--hold", "--seconds", "4", "--directory", Live.scratch] + arguments)
            let pid = try #require(try workload.row(ReadyRow.self).pid, "\(workload.finish().errors)")
            let (tool, start) = try Tool.tracing(["memstall", seconds] + options, rung: rung)
            workload.send("\n")
            let truth: MemStallTruth = try workload.row()
            let all = tool.stop()
            workload.closeInput()
            #expect(workload.finish().status == 0)
            #expect(all.status == 0)
            let everybody = try all.rows(MemStallRow.self), rows = everybody.filter { $0.tid == pid }
            let groups = try all.rows(MemStallCgroupRow.self)
            return Observed(
                truth: truth, rows: Dictionary(rows.map { ($0.cause, $0) }) { first, _ in first }, all: everybody,
                group: groups.first { $0.cgroup == truth.cgroup }, culprits: try all.rows(MemStallCulpritRow.self),
                interval: try #require(try all.rows(MemStallIntervalRow.self).last),
                hints: try all.rows(MemStallIntervalRow.self).flatMap(\.hints), reclaim: try all.rows(),
                start: start)
        }

        /// Are two times equal but for a part, or what a slow machine needs to read clocks?
        private func agree(_ ours: Int, _ theirs: Int, within part: Double, besides: Int = 0) -> Bool {
            abs(ours - theirs) <= max(Int(Double(theirs) * part), 10_000_000) + besides
        }

        /// Two percent; emulated by a machine that does other things besides, PSI's clock and the programs' are read
        /// up to a slice of the host's time apart.
        private var part: Double { Live.inMatrix ? 0.06 : 0.02 }

        /// Is the task's sum of all causes what PSI counts for its cgroup?
        private func pressure(_ seen: Observed) {
            guard let some = seen.truth.cgroupPressure?.someNs else {
                return TestRecord.note("not compared with PSI: its cgroup has none here")
            }
            // a section ends within the function that the program sees begin: emulated by a busy machine, that is up to
            // twenty microseconds, of which half are allowed for
            let stalls = seen.rows.values.map(\.count).reduce(0, +), edges = Live.inMatrix ? stalls * 10_000 : 0
            #expect(agree(seen.psi, some, within: part, besides: edges), "\(seen.psi) of \(some) in \(stalls)")
            TestRecord.note("psi \(seen.psi)/\(some)")
        }

        /// Is what the tool says of the cgroup's PSI the kernel's own, and explained by the stalls?
        private func group(_ seen: Observed) throws {
            let group = try #require(seen.group, "no memstall_cgroup of \(seen.truth.cgroup)")
            #expect(group.psiNs == seen.psi)
            guard let some = seen.truth.cgroupPressure?.someNs else {
                #expect(group.psiSomeNs == nil && group.explainedRatio == nil && group.unexplainedNs == nil)
                return TestRecord.note("its cgroup has no PSI here")
            }
            #expect(seen.start.rung("weights") == "tracepoint")
            // the tool's interval begins before the workload's and ends behind it
            let ours = try #require(group.psiSomeNs)
            #expect(ours >= some && ours <= some + some / 50 + 50_000_000, "\(ours) \(some)")
            let ratio = try #require(group.explainedRatio), stalls = seen.rows.values.map(\.count).reduce(0, +)
            let edges = (Live.inMatrix ? Double(stalls) * 10_000 : 0) + 10_000_000
            #expect(abs(ratio - 1) < part + edges / Double(ours), "\(group) in \(stalls)")
            TestRecord.note("explained \(ratio) of \(ours)")
        }

        /// Is a row of reclaim what delay accounting counts as such? PSI's section is longer, where that is what is seen.
        private func reclaim(_ row: MemStallRow, of seen: Observed) {
            guard let delays = seen.truth.delays else {
                return TestRecord.note("not compared with delay accounting: there is none here")
            }
            TestRecord.note("reclaim \(row.stalledNs)/\(delays.freepagesNs)")
            let (ours, theirs) = (row.stalledNs, delays.freepagesNs)
            if seen.start.rung("sections") == nil {
                #expect(agree(ours, theirs, within: 0.05), "\(ours) \(delays)")
            } else {
                #expect(ours + 20_000_000 >= theirs && ours <= theirs + theirs / 2 + 20_000_000, "\(ours) \(delays)")
            }
        }

        /// Which way PSI's sections are seen by: none, where functions can't be hooked.
        static func rungs() throws -> [String] {
            try Rungs.here("memstall", "cgroup_reclaim", of: ["tracepoint_named", "fentry", "kprobe", "tracepoint"])
        }

        @Test(
            "at a limit: the task's reclaim is what delay accounting and PSI count; a parent's limit is the parent's",
            .tags(.brief), arguments: try rungs(), [false, true])
        func limit(rung: String, parent: Bool) throws {
            let swap = try SwapSpace()
            defer { swap.end() }
            let seen = try trace(
                ["--mb", "60", "--limit-mb", "30"] + (parent ? ["--parent"] : []),
                rung: "memstall.cgroup_reclaim=\(rung)")
            #expect(seen.start.stands("cgroup_reclaim", on: rung))
            let row = try #require(seen.rows["memcg_max"])
            #expect(row.limitCgroup == seen.truth.limitCgroup && row.cgroup == seen.truth.cgroup)
            #expect(row.count > 0 && row.reclaimedPages > 0 && row.offCpuNs <= row.stalledNs)
            #expect(row.longestNs <= row.stalledNs && row.stalledNs <= seen.truth.durationNs)
            reclaim(row, of: seen)
            pressure(seen)
            try group(seen)
            let culprit = try #require(seen.culprits.first { $0.limitCgroup == seen.truth.limitCgroup })
            #expect(culprit.cgroup == seen.truth.cgroup && culprit.tasks == 1 && culprit.reclaimedRatio == 1)
            #expect(culprit.limitBytes == seen.truth.limitBytes && culprit.reclaimedPages == row.reclaimedPages)
            #expect(culprit.limitOomKills == 0)
            #expect(seen.interval.losses.causes.isEmpty, "\(seen.interval.losses)")
        }

        @Test("a file read over and over in too little memory: its waits are refaults", .tags(.brief))
        func files() throws {
            let seen = try trace(["--kind", "file", "--mb", "60", "--limit-mb", "30"])
            let delays = try #require(seen.truth.delays)
            let refault = seen.rows["refault"]?.stalledNs ?? 0
            if seen.start.rung("sections") == nil {
                // what is on the CPU is not seen
                #expect(refault <= delays.thrashingNs + delays.thrashingNs / 20 + 20_000_000, "\(refault) \(delays)")
            } else {
                pressure(seen)
            }
            let limit = try #require(seen.rows["memcg_max"])
            reclaim(limit, of: seen)
            TestRecord.note("refault \(refault)/\(delays.thrashingNs)")
        }

        @Test("beyond memory.high: throttling is memcg_high, at that cgroup", .tags(.brief))
        func high() throws {
            guard Live.unified else { throw Unsupported("memory.high is cgroup v2's") }
            let seen = try trace(["--kind", "high", "--mb", "60", "--limit-mb", "8", "--parent"])
            let row = try #require(seen.rows["memcg_high"])
            #expect(row.limitCgroup == seen.truth.limitCgroup)
            #expect(row.offCpuNs > 0)
            pressure(seen)
            try group(seen)
        }

        @Test("beyond memory.high without swap: a livelock, named with its limit", .tags(.brief))
        func livelock() throws {
            guard Live.unified else { throw Unsupported("memory.high is cgroup v2's") }
            let seen = try trace(
                ["--kind", "high", "--mb", "60", "--limit-mb", "8", "--parent", "--seconds", "6"], each: "2")
            let verdicts = seen.culprits.filter { $0.limitCgroup == seen.truth.limitCgroup && $0.livelock }
            let verdict = try #require(verdicts.first, "\(seen.culprits)")
            #expect(verdict.cause == "memcg_high" && verdict.limitBytes == seen.truth.limitBytes)
            #expect(verdict.limitWaitingRatio >= 0.5 && verdict.limitOomKills == 0)
            let text = "memory.high of \(seen.truth.limitCgroup) (8 MB)"
            #expect(seen.hints.contains { $0.contains(text) && $0.contains("thrashes") }, "\(seen.hints)")
        }

        @Test("two cgroups below a limit, and one hog: it is the one named", .tags(.brief))
        func hog() throws {
            let swap = try SwapSpace()
            defer { swap.end() }
            let seen = try trace(["--mb", "60", "--limit-mb", "30", "--parent", "--victim", "4"])
            let there = seen.culprits.filter {
                $0.limitCgroup == seen.truth.limitCgroup && $0.cause == "memcg_max"
            }
            let first = try #require(there.first)
            #expect(first.cgroup == seen.truth.cgroup)
            #expect(try #require(first.reclaimedRatio) > 0.7, "\(there)")
            #expect(there.count == 1 || there[1].cgroup == seen.truth.victimCgroup)
            TestRecord.note("of \(there.map(\.reclaimedPages)) pages")
        }

        @Test("a thousand tasks that live for moments: their stalls add up to what PSI counts", .tags(.brief))
        func tasks() throws {
            let swap = try SwapSpace()
            defer { swap.end() }
            // emulated, a task takes a tenth of a second
            let count = Live.inMatrix ? 100 : 1000
            let seen = try trace(["--kind", "tasks", "--mb", "30", "--limit-mb", "30", "--tasks", "\(count)"])
            #expect(seen.truth.passes == count)
            let rows = seen.all.filter { $0.cgroup == seen.truth.cgroup && $0.cause == "memcg_max" }
            let tasks = Set(rows.compactMap(\.tid))
            // each needs 1 MB where there is none; the one that makes them may have freed a part of it
            #expect(tasks.count > count / 2, "\(tasks.count)")
            #expect(seen.interval.losses.causes.isEmpty, "\(seen.interval.losses)")
            let group = try #require(seen.group)
            guard let some = seen.truth.cgroupPressure?.someNs else {
                #expect(group.psiSomeNs == nil && group.explainedRatio == nil && group.unexplainedNs == nil)
                return TestRecord.note("its cgroup has no PSI here")
            }
            let stalls = rows.map(\.count).reduce(0, +)
            let edges = Live.inMatrix ? stalls * 10_000 : 0
            #expect(agree(group.psiNs, some, within: part, besides: edges), "\(group) \(some) in \(stalls)")
            TestRecord.note("psi \(group.psiNs)/\(some) of \(tasks.count) tasks")
        }

        /// What the machine has to give, in megabytes, by a key of /proc/meminfo.
        private func megabytes(_ key: String) throws -> Int {
            let text = try String(contentsOfFile: "/proc/meminfo", encoding: .utf8)
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(key + ":") })
            return try #require(Int(line.split(separator: " ")[1])) / 1024
        }

        @Test(
            "a machine that is short of memory: direct reclaim is the task's, kswapd's work is its own", .tags(.brief))
        func machine() throws {
            guard Live.inMatrix else { throw Unsupported("it takes all memory of the machine") }
            let available = try megabytes("MemAvailable"), swap = try megabytes("SwapFree")
            guard swap >= 300 else { throw Live.lacking("300 MB of swap are wanted, \(swap) are free") }
            let seen = try trace(
                ["--mb", "\(available + 150)", "--limit-mb", "0", "--seconds", "8"], options: ["--reclaim"])
            let row = try #require(seen.rows["direct_reclaim"])
            #expect(row.limitCgroup == nil && row.reclaimedPages > 0)
            reclaim(row, of: seen)
            pressure(seen)
            let kswapd = seen.all.filter { $0.cause == "kswapd" }
            #expect(!kswapd.isEmpty && kswapd.allSatisfy { ($0.comm ?? "").hasPrefix("kswapd") && $0.psiNs > 0 })
            let reclaim = try #require(seen.reclaim.last), node = try #require(reclaim.nodes.first { $0.node == 0 })
            let work = try #require(node.kswapdWorkNs)
            #expect(node.kswapdRounds > 0 && node.kswapdOrder != nil && work <= reclaim.intervalNs)
            #expect(work == kswapd.filter { $0.comm == "kswapd0" }.map(\.stalledNs).reduce(0, +))
            #expect(try #require(reclaim.kswapdStolenPages) > 0 && (reclaim.efficiencyRatio ?? 0) > 0)
            #expect(reclaim.zones.contains { $0.highPages > 0 } && seen.start.rung("kcompactd") == "tracepoint")
            let shrinkers = try #require(reclaim.shrinkers)
            #expect(
                shrinkers.allSatisfy { $0.calls > 0 && $0.longestNs <= $0.totalNs && $0.function != nil },
                "\(shrinkers)")
            TestRecord.note("kswapd \(work) in \(node.kswapdRounds) rounds, \(shrinkers.count) shrinkers")
        }

        @Test("huge pages of fragmented memory: compaction", .tags(.brief))
        func compaction() throws {
            guard Live.inMatrix else { throw Unsupported("it takes all memory of the machine") }
            let available = try megabytes("MemAvailable")
            let seen = try trace(["--kind", "compact", "--mb", "\(available - 60)", "--limit-mb", "0"])
            let row = try #require(seen.rows["compaction"], "\(seen.rows.keys)")
            #expect(row.stalledNs > 0 && row.psiNs == row.stalledNs && row.limitCgroup == nil)
            if let compact = seen.truth.delays?.compactNs {
                #expect(agree(row.stalledNs, compact, within: 0.1), "\(row.stalledNs) \(compact)")
                TestRecord.note("compaction \(row.stalledNs)/\(compact)")
            }
            pressure(seen)
        }

        @Test("the time in the OOM killer is the one's who ran out", .tags(.brief))
        func oom() throws {
            let (tool, start) = try Tool.tracing(["memstall", "1000"])
            guard start.rung("oom") != nil else {
                _ = tool.stop()
                throw Unsupported("no rung of oom on this kernel")
            }
            #expect(try Workload.start("oomhog", ["--kills", "3"]).finish().status == 0)
            let rows = try tool.stop().rows(MemStallRow.self).filter { $0.cause == "oom" }
            #expect(rows.map(\.count).reduce(0, +) >= 3 && rows.allSatisfy { $0.psiNs == 0 && $0.stalledNs > 0 })
        }

        @Test("reclaim that is asked for is no wait, and none of PSI's", .tags(.brief))
        func asked() throws {
            let swap = try SwapSpace()
            defer { swap.end() }
            let seen = try trace(["--kind", "asked", "--mb", "40", "--limit-mb", "40"])
            guard let row = seen.rows["asked"] else {
                throw Unsupported("memory.reclaim is not here (Linux 5.19)")
            }
            #expect(
                row.stalledNs > 0 && row.psiNs == 0 && row.limitCgroup == nil
                    || row.limitCgroup == seen.truth.limitCgroup)
        }

        @Test("writers that the kernel slows down wait, which is none of PSI's", .tags(.brief))
        func writers() throws {
            let seen = try trace(["--kind", "dirty", "--mb", "64", "--limit-mb", "0"])
            let row = try #require(seen.rows["dirty_throttle"])
            #expect(row.psiNs == 0 && row.stalledNs > 0 && row.stalledNs <= seen.truth.durationNs)
            // it sleeps; on the CPU it is for moments only
            #expect(row.offCpuNs * 10 >= row.stalledNs * 9)
        }

        @Test("filters, --by, --min-ms: fewer rows, of the same numbers; nothing is compared of a part")
        func filters() throws {
            let swap = try SwapSpace()
            defer { swap.end() }
            let workload = try Workload.start(
                "memstall", ["--wait", "--seconds", "2", "--mb", "60", "--limit-mb", "30"])
            let pid = try #require(try workload.row(ReadyRow.self).pid)
            let (mine, _) = try Tool.tracing(["memstall", "1000", "-p", "\(pid)", "--by", "process"])
            let (other, _) = try Tool.tracing(["memstall", "1000", "-p", "1"])
            let (long, _) = try Tool.tracing(["memstall", "1000", "--min-ms", "100000"])
            let (events, _) = try Tool.tracing(["memstall", "--trace", "-p", "\(pid)"])
            workload.send("\n")
            let truth: MemStallTruth = try workload.row()
            let all = mine.stop(), traced = events.stop()
            let rows = try all.rows(MemStallRow.self)
            #expect(workload.finish().status == 0)
            #expect(!rows.isEmpty && rows.allSatisfy { $0.pid == pid && $0.tid == nil })
            let interval = try #require(try all.rows(MemStallIntervalRow.self).last)
            #expect(interval.explainedRatio == nil && interval.psiSomeNs != nil)
            #expect(try other.stop().rows(MemStallRow.self).allSatisfy { $0.pid == 1 })
            #expect(try long.stop().rows(MemStallRow.self).isEmpty)
            let stalls = try traced.rows(MemStallEventRow.self)
            let limit = stalls.filter { $0.cause == "memcg_max" }
            let row = try #require(rows.first { $0.cause == "memcg_max" })
            // they do not end at the same moment, and where tracepoints are preempted each misses others
            #expect(stalls.allSatisfy { $0.pid == pid } && abs(limit.count - row.count) <= 5 + row.count / 10)
            // each of the tracers sees what the others take of the stall's time
            #expect(agree(limit.map(\.stalledNs).reduce(0, +), row.stalledNs, within: 0.3))
            #expect(truth.pid == pid)
        }

        @Test(
            "wrong use", arguments: [["0"], ["x"], ["--by", "user"], ["--trace", "--by", "cgroup"], ["--min-ms=-1"]])
        func usage(arguments: [String]) throws {
            #expect(try Tool.run(["memstall"] + arguments).status == 64)
        }

        @Test("text: a heading, PSI's own line, and nothing on standard error")
        func text() throws {
            let result = try Tool.run(["memstall", "-T", "0.2", "2"])
            #expect(result.status == 0 && result.errors.isEmpty)
            #expect(result.lines.first == "Tracing waits for memory. Ctrl-C to end.")
            #expect(result.lines.filter { $0.hasPrefix("CAUSE ") }.count == 2)
            #expect(result.lines.filter { $0.hasPrefix("PSI: ") }.count == 2)
        }
    }
}
