// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import CMemEvents
internal import LibBPF
internal import MemoryTools

/// The page cache's hits and misses, in pages.
struct CacheStat: Tool {
    static let configuration = CommandConfiguration(
        commandName: "cachestat",
        abstract: "Page cache hits and misses of the whole machine, or of some tasks.",
        discussion: """
            Counts pages of 4 KiB. An access is a page that a buffered read, splice or \
            sendfile asked for, or that a page fault mapped; a miss is a page that came in \
            from storage for reading, asked for or read ahead; hits are accesses less misses; \
            a dirty page is one that was clean before. Direct I/O counts in none, a page that \
            a write creates is no miss, tmpfs is not seen.

            Other than bcc's cachestat: that one counts calls, so a folio of many pages is 1 \
            to it, calls every write an access, and takes dirty buffers for dirty pages.
            """)

    static let probes = ProbeSet(
        tool: "cachestat",
        ladders: [
            Ladder(
                "cache", "the page cache's accesses",
                rungs: [
                    Rung(
                        "tracepoint",
                        programs: [
                            "read_access", "inserted", "dirtied", "fault", "mapped", "mm_by_exec",
                            "mm_by_fork", "mm_gone", "mm_at_start",
                        ],
                        requires: [.feature("task storage"), .feature("per-CPU look-up")],
                        kernels: "6.12 and newer",
                        blindTo: """
                            accesses to tmpfs and hugetlbfs, and to pages that are mapped already
                            """)
                ])
        ])

    @OptionGroup var interval: IntervalArguments
    @Flag(name: [.customShort("T"), .long], help: "Print the time.")
    var timestamp = false
    @OptionGroup var tasks: TaskOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
        let filter = try filter_config(tasks)
        try requireTask(tasks)
        var session = try Session(Self.probes, report) { (object, _) throws(BPFError) in
            try object.setReadOnlyData(".rodata.filter", to: filter)
        }
        try trace(&session)
        try session.finish()
    }

    private func trace(_ session: inout Session) throws(Failure) {
        let counters: PerCPUMap<UInt32, cachestat_counters> = try explained {
            () throws(BPFError) in try session.probes.object.perCPUMap("counters")
        }
        func read() throws(Failure) -> PageCacheCounters {
            try explained { () throws(BPFError) in
                PageCacheCounters(records: try counters.values(for: 0) ?? [])
            }
        }
        var loop = try EventLoop(interval: interval.interval?.value ?? 1, duration: report.duration?.value)
        var ledger = PageCacheLedger(from: try read())
        var begin = monotonicNow()
        var losses = try session.losses()
        var left = interval.count?.value
        guard try session.begin(CacheStatText.header(timestamps: timestamp)) else { return }

        while true {
            guard try session.output.flush() else { return }
            let wakeup = try loop.next()
            if wakeup == .outputClosed { return }
            let now = monotonicNow()
            let lost = try session.losses()
            let row = CacheStatRow(
                time: .now, intervalNanoseconds: now - begin,
                pages: ledger.advance(to: try read()),
                memory: MemoryInfo(meminfo: readText("/proc/meminfo") ?? ""),
                losses: lost.since(losses))
            begin = now
            losses = lost
            if report.json {
                session.output.print(CacheStatJSON.line(row))
            } else {
                session.output.print(CacheStatText.line(row, timestamps: timestamp))
                try session.showLosses()
            }
            left = left.map { $0 - 1 }
            if wakeup == .stop || left == 0 {
                _ = try session.output.flush()
                return
            }
        }
    }
}
