// SPDX-License-Identifier: Apache-2.0

/// memstall's JSON; Docs/tools/memstall.md has the schema.
public enum MemStallJSON {
    /// The rows, then the interval's own object.
    public static func lines(_ interval: MemStallInterval) -> [JSONLine] {
        interval.rows.map { line($0, interval) } + [closing(interval)]
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
        line.add("vmstat_pgscan_kswapd_pages", interval.vmstat.kswapdScanned)
        line.add("vmstat_pgsteal_kswapd_pages", interval.vmstat.kswapdStolen)
        line.add("vmstat_pgscan_direct_pages", interval.vmstat.directScanned)
        line.add("vmstat_pgsteal_direct_pages", interval.vmstat.directStolen)
        line.add("vmstat_refault_anon_pages", interval.vmstat.refaultedAnonymous)
        line.add("vmstat_refault_file_pages", interval.vmstat.refaultedFile)
        line.add("vmstat_compact_stall", interval.vmstat.compactions)
        line.add("vmstat_oom_kill", interval.vmstat.oomKills)
        line.add("hints", MemStallHint.hints(interval).map(\.text))
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
