// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Reports
internal import TraceRecords

/// Who waits for memory, how many seconds, and why.
struct MemStall: Tool {
    static let configuration = CommandConfiguration(
        commandName: "memstall",
        abstract: "Who waits for memory, how long, why, and at whose limit.",
        discussion: """
            STALL_MS is the time a task waited for memory: in reclaim, at a cgroup's limit \
            (LIMIT names the one, which may be above the task's own), for a page that was \
            evicted a short while ago. Causes are disjoint: reclaim inside of a wait is \
            reclaim. A stall that goes on counts up to the end of the interval.

            Below stands what the kernel counts itself (PSI), and how much of it the stalls \
            explain. PSI weighs each CPU by the time it was not idle, so that it is less than \
            the tasks' seconds wherever more than one CPU is at work; what is compared is \
            weighed in the same way. dirty_throttle, oom and asked are none of PSI's.

            On a terminal, where no count is given, it fills the screen: a bar for each cause, \
            what it means, and the longest rows; t, p, c and s choose a row for each task, \
            process, cgroup or cause, space pauses, ? helps, q quits. In a pipe, with a \
            count or with --batch it prints tables.

            --stack shows the stacks that a row's stalls began with; their time adds up to the row's. \
            A process's first stalls are walked by frame pointers, until its mappings are read.

            asked is reclaim that somebody wanted: memory.reclaim, a limit lowered. kswapd and \
            kcompactd are the kernel's own threads, which PSI counts too.
            """)

    @Argument(help: "Seconds between reports.")
    var interval = Seconds(1)
    @Argument(help: "Intervals to report (default: until Ctrl-C).")
    var count: ReportCount?
    @Flag(name: [.customShort("T"), .long], help: "Print the time.")
    var timestamp = false
    @Flag(help: "Also the time off the CPU, pages reclaimed, whole paths.")
    var wide = false
    @Option(help: ArgumentHelp("One row for each: task, process, cgroup or cause.", valueName: "what"))
    var by = Grouping.task
    @Flag(help: "The stalls of each interval by cause and powers of two.")
    var histogram = false
    @Flag(help: "Also kswapd and kcompactd by node, shrinkers, and zones short of pages.")
    var reclaim = false
    @Flag(help: "Also the kernel's and the task's own stack of each row's stalls, the longest three.")
    var stack = false
    @Flag(help: "Also whose pages were evicted, by whom, and how many came back.")
    var evicted = false
    @Flag(help: "Tables, on a terminal too.")
    var batch = false
    @Flag(help: "One line a stall, as it ends, instead of reports.")
    var trace = false
    @Option(help: ArgumentHelp("Leave out rows, or with --trace stalls, shorter than this.", valueName: "ms"))
    var minMs = 0.0
    @OptionGroup var tasks: TaskOptions
    @OptionGroup var report: ReportOptions

    enum Grouping: String, ExpressibleByArgument, CaseIterable {
        case task, process, cgroup, cause

        var rows: MemStallRow.Grouping {
            switch self {
            case .task: .task
            case .process: .process
            case .cgroup: .cgroup
            case .cause: .cause
            }
        }
    }

    func validate() throws {
        guard minMs >= 0, minMs <= 1e9 else { throw ValidationError("--min-ms: from 0 to 1000000000") }
        if trace && (histogram || by != .task || wide || timestamp || reclaim || stack || evicted) {
            throw ValidationError(
                "--trace prints stalls one by one: no --by, --histogram, --reclaim, --stack, --evicted, --wide, -T")
        }
    }

    func run() throws {
        let filter = try filter_config(tasks)
        try requireTask(tasks)
        let least = UInt64(minMs * 1e6)
        // who names a number of reports, or wants what has no place on a screen, reads tables
        let onScreen =
            Terminal.isUsable && !batch && count == nil && !report.json && !trace && !histogram && !reclaim
            && !stack && !evicted && !timestamp
        let wish = reclaim ? ReclaimWish() : nil
        // parsers are forked, and the kernel's names read, while this process has all its rights
        let stacks = stack ? try MemStallStackWish(tasks) : nil
        var session = try Session(
            Self.mode(
                filter: filter, trace: trace, leastNanoseconds: least, reclaim: reclaim, evicted: evicted,
                stacks: stack), report)
        if trace {
            var source = try MemStallTraceSource(session)
            try ReportLoop.run(&source, &session, ReportLoop.Pace(interval: nil, duration: report.duration?.value))
        } else if onScreen {
            let reader = try MemStallReader(session, filtered: !tasks.isEmpty, reclaim: nil)
            var source = MemStallScreenSource(reader, by: by.rows, least: least, on: try Terminal())
            var pace = ReportLoop.Pace(interval: interval.value, duration: report.duration?.value)
            pace.terminal = true
            try ReportLoop.run(&source, &session, pace)
        } else {
            var source = try MemStallSource(
                session, MemStallText(timestamps: timestamp, wide: wide, grouping: by.rows), histogram: histogram,
                least: least, filtered: !tasks.isEmpty, reclaim: wish, evicted: evicted,
                stacks: stacks)
            try ReportLoop.run(
                &source, &session,
                ReportLoop.Pace(interval: interval.value, count: count?.value, duration: report.duration?.value))
        }
        try session.finish()
    }
}
