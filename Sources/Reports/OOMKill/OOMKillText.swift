// SPDX-License-Identifier: Apache-2.0

/// oomkill's text: bcc's line, then what bcc does not say, indented.
public enum OOMKillText {
    public static let header = "Tracing OOM kills... Ctrl-C to stop."

    /// bcc's line and the details, one string a line.
    public static func lines(_ victim: OOMVictim, loadavg: String, stack: [String]? = nil)
        -> [String]
    {
        let pages = victim.context.map { String($0.totalPages) } ?? "?"
        var lines = [
            "\(victim.time.clockTime) Triggered by PID \(victim.triggerPID)"
                + " (\"\(Printable.text(victim.triggerComm))\"), OOM kill of PID \(victim.victimPID)"
                + " (\"\(Printable.text(victim.victimComm))\"), \(pages) pages, loadavg: \(loadavg)"
        ]
        if victim.sharesMemory {
            lines.append("  killed because it shares the memory of the chosen victim")
        } else if victim.signalSent == false {
            lines.append("  no signal sent: it was exiting already")
        }
        lines += context(victim.context)
        if let cmdline = victim.cmdline { lines.append("  command: \(Printable.text(cmdline))") }
        lines.append("  uid \(victim.victimUID), oom_score_adj \(victim.oomScoreAdj)")
        if let memory = victim.memory {
            lines.append(
                "  total-vm \(kilobytes(memory.totalVM)), anon-rss \(kilobytes(memory.anonRSS)),"
                    + " file-rss \(kilobytes(memory.fileRSS)),")
            lines.append(
                "  shmem-rss \(kilobytes(memory.shmemRSS)), pgtables \(kilobytes(memory.pageTables)),"
                    + " swap \(kilobytes(memory.swap))")
        }
        lines += cgroupLine(victim.cgroup)
        for frame in stack ?? [] { lines.append("    " + frame) }
        return lines
    }

    /// A kill by a program: its sender, and the sign that it was for want of memory.
    public static func lines(_ kill: SentKill, by killer: MemoryKiller, _ machine: MemoryShortage?) -> [String] {
        var lines = [
            "\(kill.time.clockTime) \(Printable.text(killer.name)): \(kill.signal.name) from PID \(kill.sender.pid)"
                + " (\"\(Printable.text(kill.sender.comm))\") to PID \(kill.victimPID)"
                + " (\"\(Printable.text(kill.victimComm))\")"
        ]
        lines.append("  for memory, as is inferred from: " + reasons(killer))
        if let machine {
            let full = machine.full.map { ", pressure full \(fixed($0, 1)) % of 10 s" } ?? ""
            lines.append(
                "  available \(kilobytes(machine.availableBytes)) of \(kilobytes(machine.totalBytes))" + full)
        }
        if let cmdline = kill.cmdline { lines.append("  command: \(Printable.text(cmdline))") }
        lines.append("  uid \(kill.victimUID), oom_score_adj \(kill.oomScoreAdj)")
        if let memory = kill.memory {
            lines.append(
                "  anon-rss \(kilobytes(memory.anonRSS)), file-rss \(kilobytes(memory.fileRSS)),"
                    + " shmem-rss \(kilobytes(memory.shmemRSS)),")
            lines.append("  swap \(kilobytes(memory.swap))")
        }
        return lines + cgroupLine(kill.cgroup)
    }

    static func reasons(_ killer: MemoryKiller) -> String {
        let reasons = killer.evidence.map { evidence in
            switch evidence {
            case .senderName: "the sender's name"
            case .shortage: "the machine's shortage"
            case .pod: "a pod's runtime sent it"
            }
        }
        return reasons.joined(separator: ", ")
    }

    private static func cgroupLine(_ cgroup: CgroupPath?) -> [String] {
        guard let cgroup else { return [] }
        let manager = cgroup.manager.map { " (\($0))" } ?? ""
        return ["  cgroup: " + Printable.text(cgroup.path + manager)]
    }

    private static func context(_ context: OOMVictim.Context?) -> [String] {
        guard let context else { return [] }
        var lines: [String] = []
        switch context.constraint {
        case .memoryCgroup:
            let path = Printable.text(context.domain?.path ?? "?")
            lines.append("  memory cgroup out of memory: \(path)")
            let limit = context.limitBytes.map(kilobytes) ?? "no limit of its own"
            if let usage = context.usageBytes {
                lines.append("  usage \(kilobytes(usage)), limit \(limit)")
            }
        case .cpuset?: lines.append("  out of memory in the nodes of a cpuset")
        case .memoryPolicy?: lines.append("  out of memory in the nodes of a memory policy")
        case .none?: lines.append("  out of memory: the whole machine")
        case nil: break
        }
        lines.append(
            "  \(context.gfp.description) (0x\(String(context.gfp.mask, radix: 16))),"
                + " order \(context.order)")
        return lines
    }

    /// The line that follows when a victim's memory has been freed.
    public static func line(_ end: OOMEnd) -> String {
        let milliseconds = fixed(Double(end.sinceKillNanoseconds) / 1e6, 1)
        return "\(end.time.clockTime) PID \(end.victimPID) "
            + (end.reaped ? "reaped" : "exited")
            + " \(milliseconds) ms after the kill, \(kilobytes(end.freedBytes)) freed"
    }

    private static func kilobytes(_ bytes: UInt64) -> String { "\(bytes / 1024) kB" }
}
