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
        let cgroup1 = !CgroupTarget.mounts(ProcFS.text("self/mounts")).contains {
            $0.unified
        }
        let onScreen = Terminal.isUsable && !batch && !report.json
        // a screen may come to show files
        let paths = onScreen || by.view == .file || file != nil
        let config = cachetop_config(cgroup1: cgroup1 ? 1 : 0, paths: paths ? 1 : 0)
        var session = try Session(Self.mode(config: config, filter: filter), report)
        if onScreen {
            try screen(&session)
        } else {
            try table(&session)
        }
        try session.finish()
    }

    private func table(_ session: inout Session) throws {
        var source = try CacheTopSource(session.probes.object)
        let order = CacheTopOrder(column: sort.column, descending: !ascending)
        var loop = try EventLoop(interval: interval?.value ?? 5, duration: report.duration?.value)
        var readings = try Readings(session)
        var left = count?.value
        // a table has its own heading, each time
        if report.json { guard try session.begin("") else { return } }

        while true {
            let wakeup = try loop.next()
            if wakeup == .outputClosed { return }
            guard wakeup.endsInterval else { continue }
            let reading = try readings.next(&source, session)
            let made = made(of: reading, by.view, order, source.names, seesAccesses(session))
            try show(made, &session, source.names)
            guard try session.output.flush() else { return }
            left = left.map { $0 - 1 }
            if wakeup == .stop || left == 0 { return }
        }
    }

    private func screen(_ session: inout Session) throws {
        var source = try CacheTopSource(session.probes.object)
        var loop = try EventLoop(
            interval: interval?.value ?? 5, duration: report.duration?.value, terminal: true)
        var readings = try Readings(session)
        var left = count?.value
        var state = CacheTopScreenState(
            view: by.view, order: CacheTopOrder(column: sort.column, descending: !ascending))
        var shown: Reading?
        let terminal = try Terminal()

        while true {
            let size = terminal.size
            let made = shown.map {
                self.made(of: $0, state.view, state.order, source.names, seesAccesses(session))
            }
            let lines = CacheTopScreen.lines(
                made, state, width: size.width, height: size.height, userName: source.names.userName)
            guard terminal.show(lines) else { return }
            switch try loop.next() {
            case .outputClosed, .stop: return
            case .keys:
                guard let keys = terminal.keys() else { return }
                for key in keys where state.press(key) == .quit { return }
            case .tick, .reportWanted:
                let reading = try readings.next(&source, session)
                if !state.isPaused { shown = reading }
                left = left.map { $0 - 1 }
                if left == 0 { return }
            case .records, .resized, .childChanged, .alarm: continue
            }
        }
    }

    /// What one interval brought.
    private struct Reading {
        let time: WallTime
        let intervalNanoseconds: UInt64
        let counted: CacheTopInterval
        let memory: MemoryInfo
        let losses: Losses
    }

    private struct Readings {
        private var begin = monotonicNow()
        private var losses: Losses

        init(_ session: borrowing Session) throws(Failure) { losses = try session.losses() }

        mutating func next(
            _ source: inout CacheTopSource, _ session: borrowing Session
        ) throws -> Reading {
            let now = monotonicNow()
            let counted = try source.collect()
            let lost = try session.losses()
            defer {
                begin = now
                losses = lost
            }
            return Reading(
                time: .now, intervalNanoseconds: now - begin, counted: counted,
                memory: MemoryInfo(meminfo: ProcFS.text("meminfo")),
                losses: lost.since(losses))
        }
    }

    private func seesAccesses(_ session: borrowing Session) -> Bool {
        session.probes.resolution.seesAccesses
    }

    private func made(
        of reading: Reading, _ view: CacheTopView, _ order: CacheTopOrder, _ names: CacheTopNames,
        _ seesAccesses: Bool
    ) -> CacheTopReport {
        let all = reading.counted.rows(
            by: view, files: file.map { Glob($0) }, fileName: names.fileName,
            cgroupName: names.cgroupName)
        let sorted = order.sorted(all, userName: names.userName)
        return CacheTopReport(
            time: reading.time, intervalNanoseconds: reading.intervalNanoseconds, view: view,
            order: order, rows: rows.map { Array(sorted.prefix($0.value)) } ?? sorted,
            total: reading.counted.total, unattributed: reading.counted.unattributed,
            seesAccesses: seesAccesses, memory: reading.memory, losses: reading.losses)
    }

    private func show(
        _ made: CacheTopReport, _ session: inout Session, _ names: CacheTopNames
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
                CacheTopText.line(row, seesAccesses: made.seesAccesses) { names.userName($0) })
        }
        if let remark = CacheTopText.remark(made) { session.output.print(remark) }
        try session.showLosses()
        session.output.print("")
    }
}
