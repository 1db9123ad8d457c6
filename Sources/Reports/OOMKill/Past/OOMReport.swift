// SPDX-License-Identifier: Apache-2.0

/// The kernel's report before a kill, from `invoked oom-killer` on.
struct OOMReport {
    /// A line of `Tasks state (memory values in pages)`.
    struct Process {
        let pid: UInt32
        let totalVMPages: UInt64
        let residentPages: UInt64
        let pageTableBytes: UInt64
        let swapPages: UInt64
        let oomScoreAdj: Int32
        let comm: String

        func process(_ pageBytes: UInt64) -> OOMProcess {
            OOMProcess(
                pid: pid, startNanoseconds: 0, comm: comm, oomScoreAdj: oomScoreAdj,
                residentBytes: residentPages &* pageBytes, swapBytes: swapPages &* pageBytes,
                pageTableBytes: pageTableBytes, cgroupID: 1)
        }
    }

    var triggerPID: UInt32?
    var triggerComm: String?
    var gfpMask: UInt32?
    var order: Int32?
    var constraint: OOMConstraint?
    var domain: String?
    var cgroup: String?
    var victimPID: UInt32?
    var usageBytes: UInt64?
    var limitBytes: UInt64?
    /// A v2 cgroup's limit of swap, or a v1 cgroup's of memory and swap; nil: none, or not said.
    var swapLimitBytes: UInt64?
    var memoryAndSwapLimitBytes: UInt64?
    var swapTotalBytes: UInt64?
    var swapFreeBytes: UInt64?
    var machinePages: UInt64?
    var processes: [Process] = []
    /// All processes of the cgroup are killed: memory.oom.group.
    var isOfGroup = false
    /// A kill of this report was seen.
    var hasVictim = false
    /// Names of the list's columns.
    private var columns: [Substring] = []
    private static let mostProcesses = 1 << 16

    mutating func take(_ message: Substring) {
        if let range = message.ranges(of: " invoked oom-killer: ").first {
            triggerComm = String(message[..<range.lowerBound])
            gfpMask = message.word("gfp_mask=0x").flatMap { UInt32($0.prefix { $0.isHexDigit }, radix: 16) }
            order = message.word("order=").flatMap { Int32($0) }
        } else if message.hasPrefix("CPU: "), let range = message.ranges(of: " PID: ").first, triggerPID == nil {
            triggerPID = UInt32(message[range.upperBound...].prefix { $0.isNumber })
        } else if message.hasPrefix("memory: usage ") {
            (usageBytes, limitBytes) = Self.usage(message)
        } else if message.hasPrefix("memory+swap: usage ") {
            memoryAndSwapLimitBytes = Self.usage(message).limit
        } else if message.hasPrefix("swap: usage ") {
            swapLimitBytes = Self.usage(message).limit
        } else if message.hasPrefix("Free swap ") {
            swapFreeBytes = message.word("= ").flatMap { Self.kilobytes($0) }
        } else if message.hasPrefix("Total swap = ") {
            swapTotalBytes = message.word("= ").flatMap { Self.kilobytes($0) }
        } else if message.hasSuffix(" pages RAM") {
            machinePages = UInt64(message.dropLast(" pages RAM".count))
        } else if message.hasPrefix("[  pid  ]") {
            columns = message.dropFirst("[  pid  ]".count).split(separator: " ")
        } else if message.hasPrefix("["), !columns.isEmpty {
            if let process = process(message), processes.count < Self.mostProcesses { processes.append(process) }
        } else if message.hasSuffix(" are going to be killed due to memory.oom.group set") {
            isOfGroup = true
        } else if message.hasPrefix("oom-kill:constraint=") {
            choice(message)
        }
    }

    /// `memory: usage 24576kB, limit 24576kB, failcnt 51`; a limit near 2^63 is none.
    private static func usage(_ message: Substring) -> (usage: UInt64?, limit: UInt64?) {
        let limit = message.word("limit ").flatMap { kilobytes($0) }
        return (message.word("usage ").flatMap { kilobytes($0) }, limit.flatMap { $0 < 1 << 62 ? $0 : nil })
    }

    private static func kilobytes(_ word: Substring) -> UInt64? {
        UInt64(word.prefix { $0.isNumber }).flatMap { $0 <= 1 << 53 ? $0 << 10 : nil }
    }

    /// `[  29834]     0 29834    28242     7606     …        17 oomhog-9`: a name may hold blanks.
    private func process(_ message: Substring) -> Process? {
        guard let end = message.firstIndex(of: "]") else { return nil }
        let pid = message[message.index(after: message.startIndex)..<end].trimmed
        let fields = message[message.index(after: end)...].split(separator: " ", maxSplits: columns.count - 1)
        guard fields.count == columns.count, let pid = UInt32(pid) else { return nil }
        func number(_ name: Substring) -> UInt64? { columns.firstIndex(of: name).flatMap { UInt64(fields[$0]) } }
        guard let total = number("total_vm"), let resident = number("rss"), let swap = number("swapents"),
            let tables = number("pgtables_bytes"), let place = columns.firstIndex(of: "oom_score_adj"),
            let adjustment = Int32(fields[place]), let name = fields.last
        else { return nil }
        return Process(
            pid: pid, totalVMPages: total, residentPages: resident, pageTableBytes: tables, swapPages: swap,
            oomScoreAdj: adjustment, comm: String(name))
    }

    /// `oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),…,oom_memcg=/a,task_memcg=/a/b,task=hog,pid=1,uid=0`
    private mutating func choice(_ message: Substring) {
        switch message.word("constraint=") {
        case "CONSTRAINT_NONE": constraint = OOMConstraint.none
        case "CONSTRAINT_CPUSET": constraint = .cpuset
        case "CONSTRAINT_MEMORY_POLICY": constraint = .memoryPolicy
        case "CONSTRAINT_MEMCG": constraint = .memoryCgroup
        default: constraint = nil
        }
        // paths and names may hold commas: from one key to the next
        func between(_ key: String, _ next: String) -> String? {
            guard let start = message.ranges(of: key).first,
                let end = message[start.upperBound...].ranges(of: next).first
            else { return nil }
            return String(message[start.upperBound..<end.lowerBound])
        }
        domain = between(",oom_memcg=", ",task_memcg=")
        cgroup = between(",task_memcg=", ",task=")
        victimPID = message.ranges(of: ",pid=").last.flatMap {
            UInt32(message[$0.upperBound...].prefix { $0.isNumber })
        }
        columns = []
    }

    /// The total that the kernel's points are relative to: RAM and swap, or the cgroup's limits of both (mm/memcontrol.c,
    /// `mem_cgroup_get_max`). The machine's swap, which bounds a cgroup's, is not in a cgroup's report.
    func totalPages(_ pageBytes: UInt64) -> UInt64? {
        if constraint == .memoryCgroup {
            guard let limitBytes else { return nil }
            return (memoryAndSwapLimitBytes ?? (limitBytes &+ (swapLimitBytes ?? 0))) / pageBytes
        }
        // the log does not give the size of a cpuset's or a policy's nodes
        guard constraint == OOMConstraint.none else { return nil }
        return machinePages.map { $0 &+ (swapTotalBytes ?? 0) / pageBytes }
    }

    /// The kernel's page size, from the victim's size in both units; nil: not known.
    func pageBytes(_ killed: KilledLine) -> UInt64? {
        guard let bytes = killed.memory?.totalVM,
            let pages = processes.first(where: { $0.pid == killed.pid })?.totalVMPages,
            pages > 0, bytes % pages == 0, [4096, 16384, 65536].contains(bytes / pages)
        else { return nil }
        return bytes / pages
    }
}
