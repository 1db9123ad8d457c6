// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import TraceRecords
internal import Reports

/// The tasks that each process starts.
struct NewTool: Tool {
    static let configuration = CommandConfiguration(
        commandName: "newtool",
        abstract: "Processes and threads that each process starts.",
        discussion: """
            Counts each task that fork(), vfork() or clone() makes for the process that called \
            it. Those with most come first; a process that started none has no line.
            """)

    @Argument(help: "Seconds between reports.")
    var interval = Seconds(1)
    @Argument(help: "Intervals to report (default: until Ctrl-C).")
    var count: ReportCount?
    @Flag(name: [.customShort("T"), .long], help: "Print the time.")
    var timestamp = false
    @OptionGroup var processes: ProcessOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
        let filter = try filter_config(processes.tasks)
        try requireTask(processes.tasks)
        var session = try Session(Self.mode(filter: filter), report)
        var source = try NewToolSource(session, NewToolText(timestamps: timestamp))
        try ReportLoop.run(
            &source, &session,
            ReportLoop.Pace(interval: interval.value, count: count?.value, duration: report.duration?.value))
        try session.finish()
    }
}
