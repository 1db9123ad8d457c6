// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import CMemEvents
internal import Glibc
internal import LibBPF
internal import MemoryTools

/// `--by`.
struct ViewArgument: ExpressibleByArgument {
    let view: CacheTopView
    var defaultValueDescription: String { view.rawValue }

    init(_ view: CacheTopView) { self.view = view }

    init?(argument: String) {
        guard let view = CacheTopView(rawValue: argument) else { return nil }
        self.view = view
    }
}

/// `--sort`.
struct ColumnArgument: ExpressibleByArgument {
    let column: CacheTopColumn
    var defaultValueDescription: String { column.rawValue }

    init(_ column: CacheTopColumn) { self.column = column }

    init?(argument: String) {
        guard let column = CacheTopColumn(argument) else { return nil }
        self.column = column
    }
}

/// The page cache's hits and misses by process, file or cgroup.
struct CacheTop: Tool {
    static let configuration = CommandConfiguration(
        commandName: "cachetop",
        abstract: "Page cache hits and misses of each process, file or cgroup.",
        discussion: """
            Counts as cachestat does, in pages of 4 KiB: the sums of the rows are its totals. \
            READ_HIT% is, of the pages that reads and page faults accessed, the share that was \
            in the cache: HITS / (HITS + MISSES). WRITE_HIT% is, of the pages that became \
            dirty, the share that was in the cache before a write touched it.

            On a terminal it fills the screen: < and > choose the column to sort by, r turns \
            the order round, p, f and c show processes, files or cgroups, / filters, space \
            pauses, ? helps, q quits. In a pipe or with --batch it prints a table an interval.

            Other than bcc's cachetop: that one counts calls (a folio of many pages is 1), calls \
            half of a cold read hits, and takes dirty buffers for accesses; it has no table \
            for a pipe, no files and no cgroups.
            """)

    static let probes = ProbeSet(
        tool: "cachetop",
        ladders: [
            PageCacheProbes.state, PageCacheProbes.reads, PageCacheProbes.insertions,
            PageCacheProbes.faults(byFile: true),
        ])

    static func configure(
        _ object: borrowing OpenObject, _ resolution: Resolution
    ) throws(BPFError) {
        try object.setReadOnlyData(".rodata.config", to: cachetop_config(cgroup1: 0, paths: 1))
    }

    @Argument(help: "Seconds between reports (default: 5).")
    var interval: Seconds?
    @Argument(help: "Reports to make (default: until Ctrl-C).")
    var count: ReportCount?
    @Option(help: "Rows of: process, file, cgroup.")
    var by = ViewArgument(.process)
    @Option(name: [.customShort("r"), .long], help: "At most so many rows.")
    var rows: ReportCount?
    @Option(help: "Column to sort by: PID, UID, CMD, HITS, MISSES, DIRTIES, READ_HIT%, WRITE_HIT%.")
    var sort = ColumnArgument(.hits)
    @Flag(help: "Smallest first.")
    var ascending = false
    @Option(help: ArgumentHelp("Only files whose path matches.", valueName: "glob"))
    var file: String?
    @Flag(help: "Tables, on a terminal too.")
    var batch = false
    @OptionGroup var tasks: TaskOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
        let filter = try filter_config(tasks)
        try requireTask(tasks)
        let cgroup1 = !CgroupTarget.mounts(readText("/proc/self/mounts") ?? "").contains {
            $0.unified
        }
        var session = try Session(Self.probes, report) { (object, _) throws(BPFError) in
            try object.setReadOnlyData(".rodata.filter", to: filter)
            try object.setReadOnlyData(
                ".rodata.config", to: cachetop_config(cgroup1: cgroup1 ? 1 : 0, paths: 1))
        }
        try table(&session)
        try session.finish()
    }

    private func table(_ session: inout Session) throws(Failure) {
        var source = try explained { () throws(BPFError) in
            try CacheTopSource(session.probes.object)
        }
        let seesAccesses = session.probes.resolution.seesAccesses
        let glob = file.map { Glob($0) }
        let order = CacheTopOrder(column: sort.column, descending: !ascending)
        var loop = try EventLoop(interval: interval?.value ?? 5, duration: report.duration?.value)
        var begin = monotonicNow()
        var losses = try session.losses()
        var left = count?.value

        while true {
            let wakeup = try loop.next()
            if wakeup == .outputClosed { return }
            let now = monotonicNow()
            let counted = try explained { () throws(BPFError) in try source.collect() }
            let lost = try session.losses()
            let all = counted.rows(
                by: by.view, files: glob,
                fileName: { source.names.fileName($0, $1) },
                cgroupName: { source.names.cgroupName($0) })
            let sorted = order.sorted(all) { source.names.userName($0) }
            let made = CacheTopReport(
                time: .now, intervalNanoseconds: now - begin, view: by.view, order: order,
                rows: rows.map { Array(sorted.prefix($0.value)) } ?? sorted, total: counted.total,
                unattributed: counted.unattributed, seesAccesses: seesAccesses,
                memory: MemoryInfo(meminfo: readText("/proc/meminfo") ?? ""),
                losses: lost.since(losses))
            begin = now
            losses = lost
            try show(made, &session, &source)
            guard try session.output.flush() else { return }
            left = left.map { $0 - 1 }
            if wakeup == .stop || left == 0 { return }
        }
    }

    private func show(
        _ made: CacheTopReport, _ session: inout Session, _ source: inout CacheTopSource
    ) throws(Failure) {
        if report.json {
            for row in made.rows { session.output.print(CacheTopJSON.line(row, of: made)) }
            session.output.print(CacheTopJSON.line(made))
            return
        }
        session.output.print(CacheTopText.title(made))
        session.output.print(CacheTopText.header(by.view))
        for row in made.rows {
            session.output.print(
                CacheTopText.line(row, seesAccesses: made.seesAccesses) { source.names.userName($0) })
        }
        if let remark = CacheTopText.remark(made) { session.output.print(remark) }
        try session.showLosses()
        session.output.print("")
    }
}
