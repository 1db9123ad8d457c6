// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import SystemLayer
internal import SystemPackage
internal import TraceRecords
internal import Glibc
internal import LibBPF
internal import Probes
internal import Reports

/// Who was killed for want of memory.
struct OOMKill: Tool {
    static let configuration = CommandConfiguration(
        commandName: "oomkill",
        abstract: "Processes killed for want of memory: who, by whom, under which limit.",
        discussion: """
            Each kill is bcc's line, then indented what bcc does not say. "pages" is what the \
            memory's domain may use in all (RAM and swap, or a cgroup's limits), not what the \
            victim used: that is in the lines below. -p, -t, --comm and --cgroup choose \
            victims. When a victim's memory is back, one more line says how long it took.

            Other than bcc's oomkill: every process killed in one OOM has its line, the \
            trigger's own PID is shown, and no kprobe is needed.
            """)

    @Flag(help: "Show the kernel stack of the allocation that ran out.")
    var stack = false
    @OptionGroup var tasks: TaskOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
        let victims = try VictimFilter(tasks)
        var session = try Session(Self.mode(stack: stack), report)
        try trace(&session, victims)
        try session.finish()
    }

    private func trace(_ session: inout Session, _ victims: VictimFilter) throws {
        var ring = try explained { () throws(BPFError) in
            try session.probes.object.ringBuffer("events")
        }
        var loop = try EventLoop(duration: report.duration?.value)
        try loop.watchRecords(ring.descriptor)
        guard try session.begin(OOMKillText.header) else { return }
        try rememberCommandLines(session)
        let symbols = stack ? try KernelStack() : nil

        var kills: UInt64 = 0
        var ours: Set<UInt32> = []
        while true {
            let wakeup = try loop.next()
            if wakeup == .outputClosed { return }
            let stop = wakeup == .stop
            let loadavg = readOneLine("/proc/loadavg") ?? "?"
            var output = Output()
            _ = try explained { () throws(BPFError) in
                try ring.consume { span in
                    switch OOMKillEvent(span) {
                    case .victim(var victim):
                        guard victims.matches(victim) else { return }
                        victim.cmdline = victim.cmdline ?? commandLine(victim.victimPID)
                        kills += 1
                        ours.insert(victim.victimPID)
                        let frames = symbols.map { symbols in
                            (victim.kernelStack ?? []).map(symbols.name)
                        }
                        if report.json {
                            output.print(OOMKillJSON.line(victim, loadavg: loadavg, stack: frames))
                        } else {
                            for line in OOMKillText.lines(victim, loadavg: loadavg, stack: frames) {
                                output.print(line)
                            }
                        }
                    case .end(let end):
                        guard ours.remove(end.victimPID) != nil else { return }
                        if report.json {
                            output.print(OOMKillJSON.line(end))
                        } else {
                            output.print(OOMKillText.line(end))
                        }
                    case nil: return
                    }
                }
            }
            session.output.append(output)
            try session.showLosses()
            if stop && report.json {
                session.output.print(OOMKillJSON.summary(kills: kills, losses: try session.losses()))
            }
            guard try session.output.flush(), !stop else { return }
        }
    }

    /// The processes that were there before the trace: newer ones tell themselves.
    private func rememberCommandLines(_ session: borrowing Session) throws {
        let map: BPFMap<UInt32, cmdline> = try session.probes.object.map("cmdlines")
        for pid in ProcFS.processIDs() {
            guard let bytes = ProcessFiles(pid).commandLine, !bytes.isEmpty else { continue }
            var line = cmdline()
            line.length = UInt32(min(bytes.count, Int(CMDLINE_BYTES)))
            withUnsafeMutableBytes(of: &line.bytes) { $0.copyBytes(from: bytes.prefix(Int(CMDLINE_BYTES))) }
            try map.set(pid, to: line, where: .noExist)
        }
    }

    private func commandLine(_ pid: UInt32) -> String? {
        ProcessFiles(pid).commandLine.flatMap(OOMVictim.arguments)
    }
}

/// Which victims the user asked for.
struct VictimFilter {
    private let tasks: TaskOptions
    private let cgroup: CgroupTarget?

    init(_ tasks: TaskOptions) throws(Failure) {
        try requireTask(tasks)
        self.tasks = tasks
        if let name = tasks.cgroup { cgroup = try CgroupTarget(name) } else { cgroup = nil }
    }

    func matches(_ victim: OOMVictim) -> Bool {
        (tasks.pid.map { $0.value == victim.victimPID } ?? true)
            && (tasks.tid.map { $0.value == victim.victimTID } ?? true)
            && (tasks.comm.map { String(decoding: $0.utf8.prefix(15), as: UTF8.self) == victim.victimComm } ?? true)
            && (cgroup.map { cgroup in victim.cgroup?.isBelow(cgroup.path) ?? false } ?? true)
    }
}
