// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

@Suite struct OOMKillDecoding {
    /// A record as the kernel program fills it in.
    private func record(
        pageBytes: UInt32 = 4096, _ change: (inout oomkill_event) -> Void = { _ in }
    ) -> oomkill_event {
        var record = oomkill_event()
        record.kind = OOMKILL_VICTIM.rawValue
        record.known =
            OOM_HAS_CONTEXT.rawValue | OOM_HAS_MM.rawValue | OOM_HAS_MEMCG.rawValue
            | OOM_HAS_SIGNALS.rawValue | OOM_SIGNALLED.rawValue
        record.kill_id = 42
        record.trigger_pid = 10
        record.trigger_tid = 11
        record.victim_pid = 20
        record.victim_tid = 21
        record.victim_uid = 1000
        record.oom_score_adj = -5
        record.page_bytes = pageBytes
        record.total_vm_pages = 100
        record.anon_pages = 50
        record.file_pages = 3
        record.shmem_pages = 2
        record.swap_pages = 1
        record.pgtables_bytes = 8192
        record.total_pages = 6144
        record.limit_pages = 6144
        record.usage_pages = 6143
        record.constraint = 3
        record.gfp_mask = 0xcc0
        set(&record.trigger_comm, "bash")
        set(&record.victim_comm, "hog\u{1b}[1m")
        record.cmdline_len = set(&record.cmdline, "hog\0--all\0")
        record.cgroup_len = set(&record.cgroup, "nginx.service\0system.slice\0")
        record.domain_len = set(&record.domain, "system.slice\0")
        change(&record)
        return record
    }

    @discardableResult
    private func set<T>(_ field: inout T, _ text: String) -> UInt32 {
        withUnsafeMutableBytes(of: &field) { $0.copyBytes(from: text.utf8.prefix($0.count)) }
        return UInt32(text.utf8.count)
    }

    @Test("every field of a record, with pages of each size", arguments: [4096, 16384] as [UInt32])
    func fields(pageBytes: UInt32) {
        let victim = OOMVictim(record: record(pageBytes: pageBytes))
        let page = UInt64(pageBytes)
        #expect(victim.killID == 42)
        #expect((victim.triggerPID, victim.triggerTID, victim.triggerComm) == (10, 11, "bash"))
        #expect((victim.victimPID, victim.victimTID, victim.victimUID) == (20, 21, 1000))
        #expect(victim.oomScoreAdj == -5)
        #expect(victim.cmdline == "hog --all")
        #expect(victim.signalSent == true)
        #expect(!victim.sharesMemory)
        #expect(victim.cgroup == CgroupPath("/system.slice/nginx.service"))
        #expect(
            victim.context
                == OOMVictim.Context(
                    constraint: .memoryCgroup, gfp: GFPFlags(mask: 0xcc0), order: 0, totalPages: 6144,
                    domain: CgroupPath("/system.slice"), limitBytes: 6144 * page, usageBytes: 6143 * page))
        #expect(victim.memory?.anonRSS == 50 * page)
        #expect(victim.memory?.fileRSS == 3 * page)
        #expect(victim.memory?.shmemRSS == 2 * page)
        #expect(victim.memory?.swap == page)
        #expect(victim.memory?.totalVM == 100 * page)
        #expect(victim.memory?.pageTables == 8192)
        #expect(victim.kernelStack == nil)
    }

    @Test("what the kernel could not tell is nil, and null in JSON, never 0")
    func unknown() {
        let victim = OOMVictim(
            record: record {
                $0.known = 0; $0.cmdline_len = 0
            })
        #expect(victim.context == nil)
        #expect(victim.memory == nil)
        #expect(victim.signalSent == nil)
        #expect(victim.cmdline == nil)
        let text = OOMKillJSON.line(victim, loadavg: "0 0 0").checkedText()
        for key in [
            "constraint", "limit_bytes", "usage_bytes", "total_pages", "total_vm_bytes", "anon_rss_bytes",
            "file_rss_bytes", "shmem_rss_bytes", "swap_bytes", "pgtables_bytes", "gfp_flags", "order",
            "victim_cmdline", "signal_sent",
        ] {
            #expect(text.contains("\"\(key)\":null"), "\(key)")
        }
        #expect(OOMKillText.lines(victim, loadavg: "0").first?.contains(", ? pages, ") == true)
    }

    @Test(
        "a cgroup without a limit of its own has none; lengths that lie are clamped",
        arguments: [4096, 16384] as [UInt32])
    func limits(pageBytes: UInt32) {
        let victim = OOMVictim(
            record: record(pageBytes: pageBytes) { record in
                record.limit_pages = UInt64(Int64.max) / UInt64(pageBytes)
                record.cgroup_len = UInt32.max
                record.cmdline_len = UInt32.max
                record.stack_bytes = Int32.max
                record.constraint = 9
            })
        #expect(victim.context?.limitBytes == nil)
        #expect(victim.context?.usageBytes == 6143 * UInt64(pageBytes))
        #expect(victim.context?.constraint == nil)
        #expect(victim.cmdline == "hog --all")
        #expect(victim.kernelStack?.count == 64)
    }

    @Test("bcc's line, then the details, with nothing raw from outside")
    func text() {
        let lines = OOMKillText.lines(
            OOMVictim(record: record()), loadavg: "0.50 0.66 0.80 3/98 25614", stack: ["f+0x1"])
        #expect(
            lines.first?.dropFirst(8)
                == " Triggered by PID 10 (\"bash\"), OOM kill of PID 20 (\"hog\\x1b[1m\"), 6144 pages, loadavg: 0.50 0.66 0.80 3/98 25614"
        )
        #expect(
            Array(lines.dropFirst()) == [
                "  memory cgroup out of memory: /system.slice", "  usage 24572 kB, limit 24576 kB",
                "  GFP_KERNEL (0xcc0), order 0", "  command: hog --all", "  uid 1000, oom_score_adj -5",
                "  total-vm 400 kB, anon-rss 200 kB, file-rss 12 kB,",
                "  shmem-rss 8 kB, pgtables 8 kB, swap 4 kB",
                "  cgroup: /system.slice/nginx.service (unit nginx.service)", "    f+0x1",
            ])
    }

    @Test("an end: how, after how long, how much")
    func end() {
        var record = oomkill_end()
        record.victim_pid = 7
        record.reaped = 1
        record.since_kill_ns = 12_340_000
        record.page_bytes = 4096
        record.before_pages = 100
        record.after_pages = 20
        let end = OOMEnd(record: record)
        #expect(end.freedBytes == 80 * 4096)
        #expect(OOMKillText.line(end).dropFirst(8) == " PID 7 reaped 12.3 ms after the kill, 320 kB freed")
        record.page_bytes = 16384
        #expect(OOMEnd(record: record).freedBytes == 80 * 16384)
        record.after_pages = 200
        #expect(OOMEnd(record: record).freedBytes == 0)
    }
}
