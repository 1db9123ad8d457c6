// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords

/// What BPF/oomkill.bpf.c tells.
public enum OOMKillEvent: Hashable, TraceEvent {
    /// The kernel has chosen a victim.
    case victim(OOMVictim)
    /// A victim's memory has been freed.
    case end(OOMEnd)
    /// A program has sent another SIGTERM or SIGKILL.
    case sent(SentKill)

    public init?(_ record: RawSpan) {
        switch record.record(UInt32.self) {
        case OOMKILL_VICTIM.rawValue:
            guard let victim = record.record(oomkill_event.self) else { return nil }
            self = .victim(OOMVictim(record: victim))
        case OOMKILL_END.rawValue:
            guard let end = record.record(oomkill_end.self) else { return nil }
            self = .end(OOMEnd(record: end))
        case OOMKILL_SENT.rawValue:
            guard let sent = record.record(oomkill_sent.self).flatMap(SentKill.init) else { return nil }
            self = .sent(sent)
        default: return nil
        }
    }
}

extension OOMVictim {
    /// A victim as it was recorded.
    ///
    /// - Parameters:
    ///   - bytes: the record of BPF/oomkill.bpf.c.
    ///   - time: of the kill. The record's own time counts from a boot that may be long past.
    /// - Returns: nil where it is no such record.
    public init?(recorded bytes: [UInt8], at time: WallTime) {
        guard case .victim(let victim)? = OOMKillEvent(bytes.span.bytes) else { return nil }
        self = victim
        self.time = time
    }

    init(record: oomkill_event) {
        let known = record.known
        func bytes(_ pages: UInt64) -> UInt64 { pages &* UInt64(record.page_bytes) }
        func has(_ bit: oomkill_known) -> Bool { known & bit.rawValue != 0 }
        time = WallTime(monotonic: record.time_ns)
        killID = record.kill_id
        triggerPID = record.trigger_pid
        triggerTID = record.trigger_tid
        triggerComm = fixedText(record.trigger_comm)
        victimPID = record.victim_pid
        victimTID = record.victim_tid
        victimComm = fixedText(record.victim_comm)
        victimUID = record.victim_uid
        oomScoreAdj = record.oom_score_adj
        cmdline = Self.arguments(fixedBytes(record.cmdline, record.cmdline_len))
        signalSent = has(OOM_HAS_SIGNALS) ? has(OOM_SIGNALLED) : nil
        sharesMemory = has(OOM_SHARED_MM)
        cgroup = CgroupPath(leafFirst: fixedBytes(record.cgroup, record.cgroup_len))
        if has(OOM_HAS_CONTEXT) {
            let memcg = has(OOM_HAS_MEMCG)
            // a counter without a limit holds LONG_MAX / PAGE_SIZE
            let unlimited = record.limit_pages >= UInt64(Int64.max) / UInt64(max(1, record.page_bytes))
            context = Context(
                constraint: OOMConstraint(rawValue: record.constraint),
                gfp: GFPFlags(mask: record.gfp_mask), order: record.order,
                totalPages: record.total_pages,
                domain: memcg
                    ? CgroupPath(leafFirst: fixedBytes(record.domain, record.domain_len)) : nil,
                limitBytes: memcg && !unlimited ? bytes(record.limit_pages) : nil,
                usageBytes: memcg ? bytes(record.usage_pages) : nil)
        }
        if has(OOM_HAS_MM) {
            memory = Memory(
                totalVM: bytes(record.total_vm_pages), anonRSS: bytes(record.anon_pages),
                fileRSS: bytes(record.file_pages), shmemRSS: bytes(record.shmem_pages),
                swap: bytes(record.swap_pages), pageTables: record.pgtables_bytes)
        }
        if record.stack_bytes > 0 {
            kernelStack = fixedWords(record.stack, record.stack_bytes / 8)
        }
    }
}

extension SentKill {
    init?(record: oomkill_sent) {
        guard let signal = Signal(rawValue: record.signal) else { return nil }
        func bytes(_ pages: UInt64) -> UInt64 { pages &* UInt64(record.page_bytes) }
        time = WallTime(monotonic: record.time_ns)
        self.signal = signal
        sender = Sender(
            pid: record.sender_pid, comm: fixedText(record.sender_comm), uid: record.sender_uid,
            cgroup: CgroupPath(leafFirst: fixedBytes(record.sender_cgroup, record.sender_cgroup_len)))
        victimPID = record.victim_pid
        victimComm = fixedText(record.victim_comm)
        victimUID = record.victim_uid
        cmdline = OOMVictim.arguments(fixedBytes(record.cmdline, record.cmdline_len))
        oomScoreAdj = record.oom_score_adj
        cgroup = CgroupPath(leafFirst: fixedBytes(record.cgroup, record.cgroup_len))
        if record.known & OOM_HAS_MM.rawValue != 0 {
            memory = Memory(
                anonRSS: bytes(record.anon_pages), fileRSS: bytes(record.file_pages),
                shmemRSS: bytes(record.shmem_pages), swap: bytes(record.swap_pages))
        }
    }
}

extension OOMEnd {
    init(record: oomkill_end) {
        time = WallTime(monotonic: record.time_ns)
        killID = record.kill_id
        victimPID = record.victim_pid
        reaped = record.reaped != 0
        sinceKillNanoseconds = record.since_kill_ns
        freedBytes =
            record.before_pages > record.after_pages
            ? (record.before_pages - record.after_pages) &* UInt64(record.page_bytes) : 0
    }
}
