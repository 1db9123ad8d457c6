// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

@Suite struct KernelLogKills {
    private static let boot = WallTime(nanoseconds: 1_000_000_000_000_000_000)

    private func kills(_ text: String, boot: WallTime? = Self.boot) -> [LoggedKill] {
        LoggedKill.all(text.split(separator: "\n").map { KernelLogLine($0) }, boot: boot, pageBytes: 4096)
    }

    /// Linux 6.18, cgroup v1; counters left out.
    private static let cgroup = """
        [44852.093259] oomhog-9 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=17
        [44852.093272] CPU: 1 UID: 0 PID: 29834 Comm: oomhog-9 Not tainted 6.18.44-fc-v657 #1 PREEMPT(none) 
        [44852.093276] Call Trace:
        [44852.093280]  <TASK>
        [44852.093298]  dump_stack_lvl+0x57/0x80
        [44852.093307]  dump_header+0x43/0x1c0
        [44852.093312]  oom_kill_process.cold+0x8/0x8a
        [44852.093316]  out_of_memory+0x214/0x500
        [44852.093322]  mem_cgroup_out_of_memory+0xc0/0x110
        [44852.093329]  try_charge_memcg+0x422/0x6f0
        [44852.093333]  charge_memcg+0x2f/0x90
        [44852.093335]  __mem_cgroup_charge+0x2c/0x90
        [44852.093339]  do_anonymous_page+0x340/0x900
        [44852.093351]  __handle_mm_fault+0xa1e/0xf40
        [44852.093358]  handle_mm_fault+0xd0/0x310
        [44852.093362]  exc_page_fault+0x176/0x770
        [44852.093367]  asm_exc_page_fault+0x22/0x30
        [44852.093373] Code: 8b 05 6d 58 00 00 48 c7 00 01 00 00 00 48 c7 45 d8 00 00 00 00 48 8b 45 d8 48 3b 05 73 58 00 00 73 2d 48 8b 45 e8 48 8b 4d d8 <c6> 04 08 01 48 8b 4d d8 48 03 4d f0 48 8b 05 36 58 00 00 48 89 48
        [44852.093390]  </TASK>
        [44852.093391] memory: usage 24576kB, limit 24576kB, failcnt 0
        [44852.093397] memory+swap: usage 24576kB, limit 24576kB, failcnt 0
        [44852.093399] kmem: usage 200kB, limit 9007199254740988kB, failcnt 0
        [44852.093400] Memory cgroup stats for /swiftmem-oom-29824:
        [44852.093422] cache 0
        [44852.093424] rss 24961024
        [44852.093425] rss_huge 0
        [44852.093427] shmem 0
        [44852.093428] mapped_file 0
        [44852.093429] dirty 0
        [44852.093430] writeback 0
        [44852.093434] swap 0
        [44852.093435] swapcached 0
        [44852.093438] pgfault 62220
        [44852.093439] pgmajfault 0
        [44852.093440] inactive_anon 24948736
        [44852.093442] active_anon 4096
        [44852.093443] inactive_file 0
        [44852.093444] active_file 0
        [44852.093445] unevictable 0
        [44852.093446] hierarchical_memory_limit 25165824
        [44852.093447] hierarchical_memsw_limit 25165824
        [44852.093471] Tasks state (memory values in pages):
        [44852.093474] [  29834]     0 29834    28242     7606     6080     1398       128   114688        0            17 oomhog-9
        [44852.093478] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/swiftmem-oom-29824,task_memcg=/swiftmem-oom-29824,task=oomhog-9,pid=29834,uid=0
        [44852.093544] Memory cgroup out of memory: Killed process 29834 (oomhog-9) total-vm:112968kB, anon-rss:24320kB, file-rss:5592kB, shmem-rss:512kB, UID:0 pgtables:112kB oom_score_adj:17
        """

    /// Linux 5.10, the whole machine; the list has fewer columns.
    private static let machine = """
        [  100.000001] web (1) invoked oom-killer: gfp_mask=0x100cca(GFP_HIGHUSER_MOVABLE), order=2, oom_score_adj=0
        [  100.000002] CPU: 0 PID: 77 Comm: web (1) Not tainted 5.10.0-44-amd64 #1 Debian 5.10.257-1
        [  100.000003] Mem-Info:
        [  100.000004] Free swap  = 4kB
        [  100.000005] Total swap = 262140kB
        [  100.000006] 524157 pages RAM
        [  100.000007] 0 pages HighMem/MovableOnly
        [  100.000008] Tasks state (memory values in pages):
        [  100.000009] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
        [  100.000010] [    201]     0   201     5000      900    61440       10         -1000 sshd
        [  100.000011] [     77]  1000    77    20000     9000   122880     5000             0 web (1)
        [  100.000012] [     78]  1000    78    20000     8000   122880        0           500 batch job
        [  100.000013] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=a,mems_allowed=0,global_oom,task_memcg=/user.slice,a,task=batch job,pid=78,uid=1000
        [  100.000014] Out of memory: Killed process 78 (batch job) total-vm:80000kB, anon-rss:30000kB, file-rss:2000kB, shmem-rss:0kB, UID:1000 pgtables:120kB oom_score_adj:500
        [  100.100000] Out of memory: Killed process 79 (b) (c) total-vm:80000kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:5 pgtables:8kB oom_score_adj:0
        [  101.000000] oom_reaper: reaped process 78 (batch job), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB
        """

    @Test("a cgroup's kill: its limit, who asked, who was there")
    func cgroup() throws {
        let kill = try #require(kills(Self.cgroup).first)
        let victim = kill.victim, context = try #require(victim.context)
        #expect(victim.time.nanoseconds == Self.boot.nanoseconds + 44_852_093_544_000)
        #expect(victim.victimPID == 29834 && victim.victimComm == "oomhog-9" && victim.oomScoreAdj == 17)
        #expect(victim.triggerPID == 29834 && victim.triggerComm == "oomhog-9")
        #expect(victim.cgroup?.path == "/swiftmem-oom-29824" && context.domain?.path == "/swiftmem-oom-29824")
        #expect(context.constraint == .memoryCgroup && context.gfp.mask == 0xcc0 && context.order == 0)
        #expect(context.limitBytes == 24576 << 10 && context.usageBytes == 24576 << 10 && context.totalPages == 6144)
        #expect(victim.memory?.anonRSS == 24320 << 10 && victim.memory?.pageTables == 112 << 10)
        #expect(kill.swap == nil && kill.words == "Memory cgroup out of memory")
        let explanation = OOMExplanation(kill)
        #expect(explanation.source.name == "kernel_log" && explanation.growers.isEmpty)
        #expect(explanation.candidates.map(\.pid) == [29834])
        // what the kernel compared: 6080 anonymous, 1398 of files and 128 shared pages, 28 of page tables, 17 x 6
        #expect(explanation.candidates.first?.points == Int64(7606 + 28 + 102))
        #expect(explanation.usage.map(\.bytes) == [24576 << 10] && explanation.limitBytes == 24576 << 10)
    }

    @Test("the machine's: all who could have been, names with blanks and brackets, swap")
    func machine() throws {
        let found = kills(Self.machine)
        #expect(found.map(\.victim.victimPID) == [78, 79])
        let kill = try #require(found.first), victim = kill.victim
        #expect(victim.triggerPID == 77 && victim.triggerComm == "web (1)" && victim.victimComm == "batch job")
        #expect(victim.cgroup?.path == "/user.slice,a" && victim.context?.order == 2)
        #expect(victim.context?.constraint == OOMConstraint.none && victim.context?.domain == nil)
        #expect(kill.swap?.total == 262140 << 10 && kill.swap?.free == 4 << 10)
        let total = 524157 + 65535, share = Int64(total / 1000)
        let explanation = OOMExplanation(kill)
        #expect(explanation.candidates.map(\.pid) == [78, 77, 201])
        let points: [Int64?] = [8030 + 500 * share, 14_030, nil]
        #expect(explanation.candidates.map(\.points) == points)
        #expect(explanation.limitBytes == 524157 * 4096 && explanation.usage.isEmpty)
        #expect(explanation.nextStep.contains("process 78 (batch job) before all"))
        #expect(found.last?.victim.victimComm == "b) (c")
        #expect(found.last?.victim.victimUID == 5)
    }

    @Test("a line of the kill without oom_score_adj, as before 5.4: the list of processes has it")
    func olderLine() throws {
        let text = Self.machine.replacing(" UID:1000 pgtables:120kB oom_score_adj:500", with: "")
        let kill = try #require(kills(text).first)
        #expect(kill.victim.victimPID == 78 && kill.victim.oomScoreAdj == 500)
        #expect(OOMExplanation(kill).candidates.first?.pid == 78)
    }

    @Test("a kill whose report was left out: what its line says, and nothing of another's")
    func alone() throws {
        let line = try #require(Self.cgroup.split(separator: "\n").last { $0.contains("Killed process") })
        let kill = try #require(kills(String(line)).first)
        #expect(kill.victim.context == nil && kill.candidates == nil && kill.victim.memory?.fileRSS == 5592 << 10)
        let explanation = OOMExplanation(kill)
        #expect(explanation.sampleAge == nil)
        let page = OOMKillText.page(explanation)
        #expect(page.contains("  Memory cgroup out of memory: the kernel log has no more of it"))
        #expect(page.contains("  the log does not list the others: of kills within seconds it has few reports"))
        let json = OOMKillJSON.line(explanation).text()
        #expect(json.contains(#""source":"kernel_log""#) && json.contains(#""trigger_pid":null"#))
        // of the report before it, which was of another process
        let later = Self.cgroup + "\n" + line.replacing("29834", with: "5").replacing("oomhog-9", with: "x")
        #expect(kills(later).last?.victim.victimPID == 5 && kills(later).last?.victim.context == nil)
        // but for a group, all of which are of one report
        let group = "[1.0] Tasks in /a are going to be killed due to memory.oom.group set\n"
        let first = "[44852.093544] Memory"
        #expect(kills(later.replacing(first, with: group + first)).last?.victim.context?.domain?.path != nil)
    }

    @Test("pages of 16 KiB are told by the victim's size in both units")
    func pages() throws {
        let text = Self.machine.replacing("78    20000 ", with: "78     5000 ")
        #expect(kills(text).first?.candidates?.pageBytes == 16384)
        #expect(kills(text.replacing("5000     8000", with: "5001     8000")).first?.candidates?.pageBytes == 4096)
    }

    @Test("stamps: seconds since boot, dates, syslog's, and journalctl's; none is no time")
    func stamps() throws {
        let now = try #require(WallTime(rfc3339: "2026-03-01T12:00:00Z"))
        func stamp(_ text: String) -> KernelLogLine.Stamp? { KernelLogLine(Substring(text), now: now).stamp }
        func wall(_ text: String) throws -> KernelLogLine.Stamp { .wall(try #require(WallTime(rfc3339: text))) }
        #expect(stamp("6,339,5140900,-;Out of") == .sinceBoot(5_140_900_000))
        #expect(KernelLogLine("6,339,5140900,-,caller=T1;a;b").message == "a;b")
        #expect(stamp("[    5.140900] x") == .sinceBoot(5_140_900_000))
        #expect(stamp("[    5.140900] host kernel: x") == .sinceBoot(5_140_900_000))
        #expect(try stamp("2026-02-01T00:00:01+0100 host kernel: x") == wall("2026-01-31T23:00:01Z"))
        #expect(try stamp("2026-02-01T00:00:01.250000-02:00 host kernel: x") == wall("2026-02-01T02:00:01.25Z"))
        #expect(KernelLogLine("2026-02-01T00:00:01+0100 host kernel: [ 1.0] x").message == "[ 1.0] x")
        // of the machine's own time zone
        guard case .wall(let day)? = stamp("Feb 28 00:00:00 host kernel: x"),
            case .wall(let last)? = stamp("Nov 28 00:00:00 host kernel: x"),
            case .wall(let dated)? = stamp("[Sat Feb 28 00:00:00 2026] x")
        else { return #expect(Bool(false), "a date is none") }
        #expect(day == dated && day.rfc3339.hasPrefix("2026-02-2") && last.rfc3339.hasPrefix("2025-11-2"))
        for text in ["x", "", "[", "[]", "[x] y", "6,1;x", ";", "6,1,99999999999999999999,-;x", " kernel: x"] {
            #expect(stamp(text) == nil, "\(text)")
        }
    }

    @Test("without a boot, seconds since it are no time; a cut or hostile line is none")
    func hostile() {
        #expect(kills(Self.machine, boot: nil).isEmpty)
        for text in [Self.machine, Self.cgroup] {
            let bytes = Array(text.utf8)
            for length in stride(from: 0, to: bytes.count, by: 7) {
                for kill in kills(String(decoding: bytes.prefix(length), as: UTF8.self)) {
                    _ = OOMKillText.page(OOMExplanation(kill))
                }
            }
        }
        let big = Self.machine.replacing("30000kB", with: "18446744073709551615kB")
        #expect(kills(big).first?.victim.memory == nil)
        #expect(kills("[1.0] Out of memory: Killed process 4294967296 (x) total-vm:1kB").isEmpty)
        #expect(kills("[1.0] a: Killed process 1 (x) total-vm:1kB").isEmpty)
    }
}
