// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import TraceRecords
internal import Glibc
internal import LibBPF
internal import Reports
internal import Probes

/// Who waits for swap, how much, how long.
struct SwapIn: Tool {
    static let configuration = CommandConfiguration(
        commandName: "swapin",
        abstract: "Pages that came back from swap, by process, and what it waited for them.",
        discussion: """
            COUNT is in the kernel's pages (4 KiB on x86-64): every page read from swap (device, zram, zswap, or \
            zero-filled) in the process's name, read ahead or asked for. Their sum is the \
            growth of pswpin, zswpin and swpin_zero in /proc/vmstat.

            --wide adds AHEAD (pages of COUNT that no fault asked for), where the pages came \
            from (DISK, ZRAM, ZSWAP, ZERO), OUT (the process's pages that went to swap, \
            whoever reclaimed them), and the total and longest time its page faults took that \
            ended with a page from swap, read or found in the swap cache. "-" can't be told here.

            Other than bcc's swapin: that one counts calls of a function that kernels since \
            6.9 don't have, and needs kprobes.
            """)

    @Flag(name: [.customShort("T"), .long], help: "Don't print the time.")
    var notime = false
    @Flag(help: "Also read-ahead, sources, swap-outs, waits and cgroup.")
    var wide = false
    @Option(help: ArgumentHelp("One row for each: process or cgroup.", valueName: "what"))
    var by = Grouping.process
    @Flag(help: "The waits of each interval by powers of two.")
    var histogram = false
    @Argument(help: "Seconds between reports.")
    var interval = Seconds(1)
    @Argument(help: "Intervals to report (default: until Ctrl-C).")
    var count: ReportCount?
    @OptionGroup var processes: ProcessOptions
    @OptionGroup var report: ReportOptions

    enum Grouping: String, ExpressibleByArgument, CaseIterable { case process, cgroup }

    func run() throws {
        let tasks = processes.tasks
        let filter = try filter_config(tasks)
        try requireTask(tasks)
        let detailed = wide || histogram || report.json
        var session = try Session(Self.mode(detailed: detailed, filter: filter), report)
        let layout = SwapInText.Layout(time: !notime, wide: wide, byCgroup: by == .cgroup)
        var source = try SwapInSource(session, layout, histogram: histogram)
        try ReportLoop.run(
            &source, &session,
            ReportLoop.Pace(interval: interval.value, count: count?.value, duration: report.duration?.value))
        try session.finish()
    }
}
