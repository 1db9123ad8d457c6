// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import TraceRecords
internal import Reports

/// The page cache's hits and misses, in pages.
struct CacheStat: Tool {
    static let configuration = CommandConfiguration(
        commandName: "cachestat",
        abstract: "Page cache hits and misses of the whole machine, or of some tasks.",
        discussion: """
            Counts the kernel's pages (4 KiB on x86-64). An access is a page that a buffered \
            read, splice or sendfile asked for, or that a page fault mapped; a miss is a page that came in \
            from storage for reading, asked for or read ahead; hits are accesses less misses; \
            a dirty page is one that was clean before. Direct I/O counts in none, a page that \
            a write creates is no miss, tmpfs is not seen.

            Other than bcc's cachestat: that one counts calls, so a folio of many pages is 1 \
            to it, calls every write an access, and takes dirty buffers for dirty pages.
            """)

    @Argument(help: "Seconds between reports.")
    var interval = Seconds(1)
    @Argument(help: "Intervals to report (default: until Ctrl-C).")
    var count: ReportCount?
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
        let text = CacheStatText(timestamps: timestamp, wide: wide, readahead: readahead)
        var source = try CacheStatSource(session, text, wholeMachine: tasks.isEmpty)
        try ReportLoop.run(
            &source, &session,
            ReportLoop.Pace(interval: interval.value, count: count?.value, duration: report.duration?.value))
        try session.finish()
    }
}
