// SPDX-License-Identifier: Apache-2.0

/// memstall's JSON; Docs/tools/memstall.md has the schema.
public enum MemStallJSON {
    /// The rows, then the interval's own object.
    public static func lines(_ interval: MemStallInterval) -> [JSONLine] {
        var lines = interval.rows.map { line($0, interval) }
        lines += interval.groups.map { line($0, interval) }
        lines += interval.culprits.map { line($0, interval) }
        lines += (interval.evictions ?? []).map { line($0, interval) }
        if let reclaim = interval.reclaim { lines.append(line(reclaim, interval)) }
        return lines + [closing(interval)]
    }

    private static func line(_ row: MemStallRow, _ interval: MemStallInterval) -> JSONLine {
        var line = JSONLine(type: "memstall")
        line.add("time", interval.time.rfc3339)
        line.add("interval_ns", interval.intervalNanoseconds)
        line.add("pid", row.pid)
        line.add("tid", row.tid)
        line.add("comm", row.comm)
        line.add("cgroup", row.cgroup?.path)
        line.add("cause", row.cause.name)
        line.add("limit_cgroup", row.limitCgroup?.path)
        line.add("count", row.counters.count)
        line.add("stalled_ns", row.counters.stalledNanoseconds)
        line.add("psi_ns", row.counters.psiNanoseconds)
        line.add("off_cpu_ns", row.counters.offCPUNanoseconds)
        line.add("longest_ns", row.counters.longestNanoseconds)
        line.add("reclaimed_pages", row.counters.reclaimedPages)
        if let stacks = row.stacks { line.add("stacks", stacks.map(object)) }
        return line
    }

    private static func object(_ stack: MemStallStack) -> JSONLine {
        var line = JSONLine()
        line.add("count", stack.counters.count)
        line.add("stalled_ns", stack.counters.stalledNanoseconds)
        line.add("longest_ns", stack.counters.longestNanoseconds)
        line.add("reclaimed_pages", stack.counters.reclaimedPages)
        line.add("kernel_frames", stack.kernel.map { $0.map(MemLeakJSON.object) })
        line.add("user_frames", stack.user.map { $0.map(MemLeakJSON.object) })
        line.add("stack_end", stack.end?.rawValue)
        return line
    }

    private static func line(_ group: MemStallGroup, _ interval: MemStallInterval) -> JSONLine {
        var line = JSONLine(type: "memstall_cgroup")
        line.add("time", interval.time.rfc3339)
        line.add("interval_ns", interval.intervalNanoseconds)
        line.add("cgroup", group.cgroup.path)
        line.add("stalled_ns", group.stalledNanoseconds)
        line.add("psi_ns", group.psiNanoseconds)
        line.add("psi_some_ns", group.pressure?.some)
        line.add("psi_full_ns", group.pressure?.full)
        line.add("explained_ns", group.explained)
        line.add("explained_ratio", group.explainedRatio)
        line.add("unexplained_ns", group.unexplainedNanoseconds)
        return line
    }

    private static func line(_ culprit: MemStallCulprit, _ interval: MemStallInterval) -> JSONLine {
        let limit = culprit.limit
        var line = JSONLine(type: "memstall_culprit")
        line.add("time", interval.time.rfc3339)
        line.add("interval_ns", interval.intervalNanoseconds)
        line.add("limit_cgroup", limit.cgroup?.path)
        line.add("cause", limit.cause.name)
        line.add("cgroup", culprit.cgroup?.path)
        line.add("tasks", culprit.tasks)
        line.add("stalled_ns", culprit.stalledNanoseconds)
        line.add("reclaimed_pages", culprit.reclaimedPages)
        line.add("reclaimed_ratio", culprit.reclaimedShare)
        line.add("usage_bytes", culprit.usageBytes)
        line.add("grown_bytes", culprit.grownBytes)
        line.add("limit_bytes", limit.limitBytes)
        line.add("limit_stalled_ns", limit.stalledNanoseconds)
        line.add("limit_reclaimed_pages", limit.reclaimedPages)
        line.add("limit_refaulted_pages", limit.refaultedPages)
        line.add("limit_oom_kills", limit.oomKills)
        line.add("limit_waiting_ratio", limit.waitingShare)
        line.add("livelock", limit.thrashes)
        return line
    }

    private static func closing(_ interval: MemStallInterval) -> JSONLine {
        var line = JSONLine(type: "memstall_interval")
        line.add("time", interval.time.rfc3339)
        line.add("interval_ns", interval.intervalNanoseconds)
        line.add("stalled_ns", interval.stalledNanoseconds)
        line.add("psi_ns", interval.psiNanoseconds)
        line.add("psi_some_ns", interval.pressure?.some)
        line.add("psi_full_ns", interval.pressure?.full)
        line.add("explained_ns", interval.explained)
        line.add("explained_ratio", interval.explainedRatio)
        line.add("unexplained_ns", interval.unexplainedNanoseconds)
        line.add("vmstat_pgscan_kswapd_pages", interval.vmstat.kswapdScanned)
        line.add("vmstat_pgsteal_kswapd_pages", interval.vmstat.kswapdStolen)
        line.add("vmstat_pgscan_direct_pages", interval.vmstat.directScanned)
        line.add("vmstat_pgsteal_direct_pages", interval.vmstat.directStolen)
        line.add("vmstat_refault_anon_pages", interval.vmstat.refaultedAnonymous)
        line.add("vmstat_refault_file_pages", interval.vmstat.refaultedFile)
        line.add("vmstat_compact_stall", interval.vmstat.compactions)
        line.add("vmstat_oom_kill", interval.vmstat.oomKills)
        line.add("hints", interval.hints.map(\.text))
        if let histograms = interval.histograms {
            line.add(
                "histograms",
                MemStallCause.allCases.compactMap { cause in
                    guard let slots = histograms[cause]?.json(unit: "us"), !slots.isEmpty else { return nil }
                    var one = JSONLine()
                    one.add("cause", cause.name)
                    one.add("slots", slots)
                    return one
                })
        }
        line.add("losses", interval.losses.json)
        return line
    }

    /// One stall.
    public static func line(
        _ event: MemStallEvent, time: WallTime, cgroup: CgroupPath?, limitCgroup: CgroupPath?
    ) -> JSONLine {
        var line = JSONLine(type: "memstall_event")
        line.add("time", time.rfc3339)
        line.add("pid", event.pid)
        line.add("tid", event.tid)
        line.add("comm", event.comm)
        line.add("cgroup", cgroup?.path)
        line.add("cause", event.cause.name)
        line.add("limit_cgroup", limitCgroup?.path)
        line.add("stalled_ns", event.stalledNanoseconds)
        line.add("off_cpu_ns", event.offCPUNanoseconds)
        line.add("reclaimed_pages", event.reclaimedPages)
        line.add("order", event.order)
        line.add("gfp_flags", hex: event.gfp.map(UInt64.init))
        return line
    }

    /// The end of a trace.
    public static func summary(time: WallTime, stalls: UInt64, losses: Losses) -> JSONLine {
        var line = JSONLine(type: "memstall_summary")
        line.add("time", time.rfc3339)
        line.add("stalls", stalls)
        line.add("losses", losses.json)
        return line
    }
}
