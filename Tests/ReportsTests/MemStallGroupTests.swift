// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

/// Rows summed, and each cgroup beside its own files.
@Suite struct MemStallGroupTests: MemStallSamples {
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
}
