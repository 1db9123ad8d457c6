// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import TraceRecords
internal import Glibc
internal import LibBPF
internal import Probes
internal import Reports

/// Who was killed for want of memory.
struct OOMKill: Tool {
    static let configuration = CommandConfiguration(
        commandName: "oomkill",
        abstract: "Processes killed for want of memory: who, by whom, under which limit.",
        discussion: """
            Each kill is bcc's line, then indented what bcc does not say. "pages" is what the \
            memory's domain may use in all (RAM and swap, or a cgroup's limits), not what the \
            victim used: that is in the lines below. -p, -t, --comm and --cgroup choose \
            victims. When a victim's memory is back, one more line says how long it took.

            Other than bcc's oomkill: every process killed in one OOM has its line, the \
            trigger's own PID is shown, and no kprobe is needed.
            """)

    @Flag(help: "Show the kernel stack of the allocation that ran out.")
    var stack = false
    @OptionGroup var tasks: TaskOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
        let victims = try VictimFilter(tasks)
        var session = try Session(Self.mode(stack: stack), report)
        var source = try OOMKillSource(session, victims, stack: stack)
        try ReportLoop.run(&source, &session, ReportLoop.Pace(duration: report.duration?.value))
        try session.finish()
    }
}
