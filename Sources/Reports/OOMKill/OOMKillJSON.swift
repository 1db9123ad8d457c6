// SPDX-License-Identifier: Apache-2.0

/// oomkill's JSON; Docs/tools/oomkill.md has the schema.
public enum OOMKillJSON {
    public static func line(_ victim: OOMVictim, loadavg: String, stack: [String]? = nil)
        -> JSONLine
    {
        var line = JSONLine(type: "oomkill")
        line.add("time", victim.time.rfc3339)
        line.add("kill_id", hex: victim.killID)
        line.add("trigger_pid", victim.triggerPID)
        line.add("trigger_tid", victim.triggerTID)
        line.add("trigger_comm", victim.triggerComm)
        line.add("victim_pid", victim.victimPID)
        line.add("victim_comm", victim.victimComm)
        line.add("victim_uid", victim.victimUID)
        line.add("victim_cmdline", victim.cmdline)
        line.add("signal_sent", victim.signalSent)
        line.add("shares_memory", victim.sharesMemory)
        let context = victim.context
        line.add("constraint", context?.constraint?.name)
        line.add("cgroup", victim.cgroup?.path)
        line.add("manager", victim.cgroup?.manager)
        line.add("limit_cgroup", context?.domain?.path)
        line.add("limit_bytes", context?.limitBytes)
        line.add("usage_bytes", context?.usageBytes)
        line.add("total_pages", context?.totalPages)
        let memory = victim.memory
        line.add("total_vm_bytes", memory?.totalVM)
        line.add("anon_rss_bytes", memory?.anonRSS)
        line.add("file_rss_bytes", memory?.fileRSS)
        line.add("shmem_rss_bytes", memory?.shmemRSS)
        line.add("swap_bytes", memory?.swap)
        line.add("pgtables_bytes", memory?.pageTables)
        line.add("oom_score_adj", victim.oomScoreAdj)
        line.add("gfp_flags", context?.gfp.description)
        line.add("gfp_mask", context?.gfp.mask)
        line.add("order", context?.order)
        line.add("loadavg", loadavg)
        if let stack { line.add("kernel_stack", stack) }
        return line
    }

    public static func line(_ end: OOMEnd) -> JSONLine {
        var line = JSONLine(type: "oomkill_end")
        line.add("time", end.time.rfc3339)
        line.add("kill_id", hex: end.killID)
        line.add("victim_pid", end.victimPID)
        line.add("how", end.reaped ? "reaped" : "exited")
        line.add("since_kill_ns", end.sinceKillNanoseconds)
        line.add("freed_bytes", end.freedBytes)
        return line
    }

    public static func line(_ kill: SentKill, by killer: MemoryKiller, _ machine: MemoryShortage?) -> JSONLine {
        var line = JSONLine(type: "oomkill_userspace")
        line.add("time", kill.time.rfc3339)
        line.add("killer", killer.name)
        line.add("inferred_from", killer.evidence.map(\.rawValue))
        line.add("signal", kill.signal.name)
        line.add("sender_pid", kill.sender.pid)
        line.add("sender_comm", kill.sender.comm)
        line.add("sender_uid", kill.sender.uid)
        line.add("sender_cgroup", kill.sender.cgroup?.path)
        line.add("victim_pid", kill.victimPID)
        line.add("victim_comm", kill.victimComm)
        line.add("victim_uid", kill.victimUID)
        line.add("victim_cmdline", kill.cmdline)
        line.add("oom_score_adj", kill.oomScoreAdj)
        line.add("cgroup", kill.cgroup?.path)
        line.add("manager", kill.cgroup?.manager)
        line.add("anon_rss_bytes", kill.memory?.anonRSS)
        line.add("file_rss_bytes", kill.memory?.fileRSS)
        line.add("shmem_rss_bytes", kill.memory?.shmemRSS)
        line.add("swap_bytes", kill.memory?.swap)
        line.add("available_bytes", machine?.availableBytes)
        line.add("total_bytes", machine?.totalBytes)
        line.add("psi_some_percent", machine?.some)
        line.add("psi_full_percent", machine?.full)
        return line
    }

    public static func summary(
        time: WallTime = .now, kills: UInt64, userspaceKills: UInt64, counts: OOMCounts, losses: Losses
    ) -> JSONLine {
        var line = JSONLine(type: "oomkill_summary")
        line.add("time", time.rfc3339)
        line.add("kills", kills)
        line.add("userspace_kills", userspaceKills)
        line.add(
            "cgroups",
            counts.all.map { row in
                var line = JSONLine()
                line.add("cgroup", row.cgroup?.path)
                line.add("manager", row.cgroup?.manager)
                line.add("kills", row.kills)
                line.add("userspace_kills", row.userspaceKills)
                return line
            })
        line.add("losses", losses.json)
        return line
    }
}
