// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import SystemLayer
internal import TraceRecords
internal import Glibc
internal import LibBPF
internal import Probes
internal import Reports

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
            Counts as cachestat does, in the kernel's pages: the sums of the rows are its totals. \
            READ_HIT% is, of the pages that reads and page faults accessed, the share that was \
            in the cache: HITS / (HITS + MISSES). WRITE_HIT% is, of the pages that became \
            dirty, the share that was in the cache before a write touched it.

            On a terminal it fills the screen: < and > choose the column to sort by, r turns \
            the order round, p, f and c show processes, files or cgroups, / filters, left and right \
            show more of long names, space pauses, F1 helps, q quits. In a pipe or with --batch it prints a table an interval.

            Other than bcc's cachetop: that one counts calls (a folio of many pages is 1), calls \
            half of a cold read hits, and takes dirty buffers for accesses; it has no table \
            for a pipe, no files and no cgroups.
            """)

    @Argument(help: "Seconds between reports.")
    var interval = Seconds(5)
    @Argument(help: "Intervals to report (default: until Ctrl-C).")
    var count: ReportCount?
    @Option(help: "Rows of: process, file, cgroup.", completion: .list(CacheTopView.allCases.map(\.rawValue)))
    var by = ViewArgument(.process)
    @Option(name: [.customShort("r"), .long], help: "At most so many rows.")
    var rows: ReportCount?
    @Option(
        help: "Column to sort by: PID, UID, CMD (or FILE, CGROUP), HITS, MISSES, DIRTIES, READ_HIT%, WRITE_HIT%.",
        completion: .list(CacheTopColumn.allCases.map(\.rawValue)))
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
        let cgroup1 = !CgroupTarget.mounts(ProcFS.text("self/mounts")).contains {
            $0.unified
        }
        let onScreen = Terminal.isUsable && !batch && !report.json
        // a screen may come to show files
        let paths = onScreen || by.view == .file || file != nil
        let config = cachetop_config(cgroup1: cgroup1 ? 1 : 0, paths: paths ? 1 : 0)
        var session = try Session(Self.mode(config: config, filter: filter), report)
        let readings = try CacheTopReadings(session, self)
        var pace = ReportLoop.Pace(interval: interval.value, count: count?.value, duration: report.duration?.value)
        if onScreen {
            pace.terminal = true
            var source = CacheTopScreenSource(readings, on: try Terminal())
            try ReportLoop.run(&source, &session, pace)
        } else {
            var source = CacheTopSource(readings)
            try ReportLoop.run(&source, &session, pace)
        }
        try session.finish()
    }
}
