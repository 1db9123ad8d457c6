// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import SystemLayer
internal import TraceRecords
internal import LibBPF
internal import Probes
internal import Reports

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

    @OptionGroup var interval: IntervalArguments
    @Flag(name: [.customShort("T"), .long], help: "Print the time.")
    var timestamp = false
    @Flag(help: "Also READ_HIT%, WRITE_HIT%, faults, pages read ahead, evicted, and refaulted.")
    var wide = false
    @Flag(help: "Also the misses asked for and read ahead; pages read ahead that were used, and dropped unused.")
    var readahead = false
    @OptionGroup var tasks: TaskOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
        let filter = try filter_config(tasks)
        try requireTask(tasks)
        var session = try Session(Self.mode(readahead: readahead, filter: filter), report)
        try trace(&session)
        try session.finish()
    }

    private func trace(_ session: inout Session) throws(Failure) {
        let counters: PerCPUMap<UInt32, pagecache_counters> = try explained {
            () throws(BPFError) in try session.probes.object.perCPUMap("counters")
        }
        func read() throws(Failure) -> PageCacheCounters {
            try explained { () throws(BPFError) in
                PageCacheCounters(records: try counters.values(for: 0) ?? [])
            }
        }
        let followed: PerCPUMap<UInt32, readahead_counters>? =
            session.probes.resolution[PageCache.Readahead.self] == nil
            ? nil
            : try explained { () throws(BPFError) in try session.probes.object.perCPUMap("readahead") }
        func readUse() throws(Failure) -> ReadaheadCounters? {
            guard let followed else { return nil }
            return try explained { () throws(BPFError) in
                ReadaheadCounters(records: try followed.values(for: 0) ?? [])
            }
        }
        var loop = try EventLoop(interval: interval.interval?.value ?? 1, duration: report.duration?.value)
        var ledger = PageCacheLedger(from: try read())
        var use = try readUse().map { ReadaheadLedger(from: $0) }
        func kernelCounts() -> VMStat { VMStat(vmstat: ProcFS.text("vmstat")) }
        let resolution = session.probes.resolution
        let sees = CacheStatRow.Sight(
            accesses: resolution.seesAccesses, evictions: resolution[PageCache.Removals.self] != nil)
        let wholeMachine = tasks.isEmpty
        let text = CacheStatText(timestamps: timestamp, wide: wide, readahead: readahead)
        var counted = kernelCounts()
        var begin = monotonicNow()
        var losses = try session.losses()
        var left = interval.count?.value
        guard try session.begin(text.header) else { return }

        while true {
            guard try session.output.flush() else { return }
            let wakeup = try loop.next()
            if wakeup == .outputClosed { return }
            guard wakeup.endsInterval else { continue }
            let now = monotonicNow()
            let lost = try session.losses()
            let pages = ledger.advance(to: try read())
            let becameOfAhead = try readUse().flatMap { use?.advance(to: $0, pages: pages) }
            let countedNow = kernelCounts()
            let vmstat = countedNow.since(counted)
            let row = CacheStatRow(
                time: .now, intervalNanoseconds: now - begin, pages: pages,
                readahead: becameOfAhead, sees: sees,
                memory: MemoryInfo(meminfo: ProcFS.text("meminfo")), vmstat: vmstat,
                contradictions: wholeMachine
                    ? vmstat.contradictions(to: pages, cpus: possibleCPUs) : nil,
                losses: lost.since(losses))
            counted = countedNow
            begin = now
            losses = lost
            if report.json {
                session.output.print(CacheStatJSON.line(row))
            } else {
                session.output.print(text.line(row))
                for remark in text.remarks(row) { session.output.print(remark) }
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
