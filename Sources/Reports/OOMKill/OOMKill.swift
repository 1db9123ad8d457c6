// SPDX-License-Identifier: Apache-2.0
public import TraceRecords

/// Why the kernel ran out, by enum oom_constraint (include/linux/oom.h).
public enum OOMConstraint: UInt32, Sendable {
    case none, cpuset, memoryPolicy, memoryCgroup

    /// As JSON and users name it.
    public var name: String {
        switch self {
        case .none: "global"
        case .cpuset: "cpuset"
        case .memoryPolicy: "mempolicy"
        case .memoryCgroup: "memcg"
        }
    }
}

/// A process that the kernel killed for want of memory.
///
/// What the kernel could not tell is nil, never 0. Sizes are in bytes unless the
/// name says pages (of 4 KiB).
public struct OOMVictim: Hashable, Sendable {
    public var time: WallTime
    /// The same for all processes killed in one OOM.
    public var killID: UInt64
    /// The process whose allocation ran out.
    public var triggerPID: UInt32
    public var triggerTID: UInt32
    public var triggerComm: String
    public var victimPID: UInt32
    public var victimTID: UInt32
    public var victimComm: String
    public var victimUID: UInt32
    public var oomScoreAdj: Int32
    /// The arguments, joined by spaces.
    public var cmdline: String?
    /// Was SIGKILL sent? false: it was exiting already and only got the reserves.
    public var signalSent: Bool?
    /// Killed because it shares the chosen victim's memory.
    public var sharesMemory: Bool
    /// The victim's memory cgroup.
    public var cgroup: CgroupPath?
    /// What ran out, nil where no rung of the `context` ladder tells.
    public var context: Context?
    /// The victim's memory, nil where it had let go of it.
    public var memory: Memory?
    /// The trigger's kernel stack, innermost first; nil where it was not asked for.
    public var kernelStack: [UInt64]?

    /// The kernel's struct oom_control.
    public struct Context: Hashable, Sendable {
        public var constraint: OOMConstraint?
        public var gfp: GFPFlags
        public var order: Int32
        /// What the OOM's domain may use in all, RAM and swap: not what the victim used.
        public var totalPages: UInt64
        /// The memory cgroup that ran out, nil when the machine did.
        public var domain: CgroupPath?
        public var limitBytes: UInt64?
        public var usageBytes: UInt64?

        public init(
            constraint: OOMConstraint?, gfp: GFPFlags, order: Int32, totalPages: UInt64,
            domain: CgroupPath? = nil, limitBytes: UInt64? = nil, usageBytes: UInt64? = nil
        ) {
            self.constraint = constraint
            self.gfp = gfp
            self.order = order
            self.totalPages = totalPages
            self.domain = domain
            self.limitBytes = limitBytes
            self.usageBytes = usageBytes
        }
    }

    /// The victim's address space at the kill.
    public struct Memory: Hashable, Sendable {
        public var totalVM: UInt64
        public var anonRSS: UInt64
        public var fileRSS: UInt64
        public var shmemRSS: UInt64
        public var swap: UInt64
        public var pageTables: UInt64
    }

    /// Decodes a record of BPF/oomkill.bpf.c.
    public init(record: oomkill_event) {
        let known = record.known
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
            let unlimited = record.limit_pages >= UInt64(Int64.max) / 4096
            context = Context(
                constraint: OOMConstraint(rawValue: record.constraint),
                gfp: GFPFlags(mask: record.gfp_mask), order: record.order,
                totalPages: record.total_pages,
                domain: memcg
                    ? CgroupPath(leafFirst: fixedBytes(record.domain, record.domain_len)) : nil,
                limitBytes: memcg && !unlimited ? record.limit_pages &* 4096 : nil,
                usageBytes: memcg ? record.usage_pages &* 4096 : nil)
        }
        if has(OOM_HAS_MM) {
            memory = Memory(
                totalVM: record.total_vm_pages &* 4096, anonRSS: record.anon_pages &* 4096,
                fileRSS: record.file_pages &* 4096, shmemRSS: record.shmem_pages &* 4096,
                swap: record.swap_pages &* 4096, pageTables: record.pgtables_bytes)
        }
        if record.stack_bytes > 0 {
            kernelStack = withUnsafeBytes(of: record.stack) { bytes in
                Array(bytes.bindMemory(to: UInt64.self).prefix(Int(record.stack_bytes) / 8))
            }
        }
    }

    /// NUL-separated arguments joined by spaces; nil for none.
    public static func arguments(_ bytes: [UInt8]) -> String? {
        let parts = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        return parts.isEmpty ? nil : parts.joined(separator: " ")
    }
}

/// A victim's memory is back.
public struct OOMEnd: Hashable, Sendable {
    public var time: WallTime
    public var killID: UInt64
    public var victimPID: UInt32
    /// Freed by the kernel's OOM reaper; false: by the process's own exit.
    public var reaped: Bool
    public var sinceKillNanoseconds: UInt64
    /// Resident bytes at the kill, less those still held.
    public var freedBytes: UInt64

    /// Decodes a record of BPF/oomkill.bpf.c.
    public init(record: oomkill_end) {
        time = WallTime(monotonic: record.time_ns)
        killID = record.kill_id
        victimPID = record.victim_pid
        reaped = record.reaped != 0
        sinceKillNanoseconds = record.since_kill_ns
        freedBytes =
            record.before_pages > record.after_pages
            ? (record.before_pages - record.after_pages) &* 4096 : 0
    }
}
