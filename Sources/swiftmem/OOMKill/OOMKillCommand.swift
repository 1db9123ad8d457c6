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
    @Option(
        help: ArgumentHelp(
            "Record in this directory, each second, what leads to a kill: half an hour of it, in 40 MiB.",
            valueName: "directory"),
        completion: .directory)
    var record: String?
    @Flag(
        help: "Explain each kill as it happens, from samples of all processes each second, kept in memory.")
    var why = false
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Trace nothing: explain a recorded kill. latest, its number (1 is the first, -1 the last), or a time.",
            valueName: "kill"),
        completion: .list(["latest"]))
    var explain: KillChoice?
    @Flag(
        help:
            "Explain a kill from the kernel log, where none was recorded: the latest, or the one that --explain names.")
    var past = false
    @Option(
        help: ArgumentHelp(
            "The recording that --explain reads (default: /var/lib/swiftmem); with --past: a saved kernel log.",
            valueName: "path"),
        completion: .file())
    var from: String?
    @Flag(help: "With --explain, --past or --why: which settings would have spared the victim, and for whom.")
    var advise = false
    @OptionGroup var tasks: TaskOptions
    @OptionGroup var report: ReportOptions

    func validate() throws {
        if advise && !(past || why || explain != nil) {
            throw ValidationError("--advise is for a kill that is explained: with --explain, --past or --why")
        }
    }

    func run() throws {
        if past { return try OOMExplain.past(explain ?? .latest, from: from, advice: advise, json: report.json) }
        if let explain {
            return try OOMExplain.run(
                explain, from: from ?? "/var/lib/swiftmem", advice: advise, json: report.json)
        }
        let victims = try VictimFilter(tasks)
        var file: RingFile?
        if let record {
            file = try RingFile(in: record)
            Recorder.survive()
        }
        var session = try Session(Self.mode(stack: stack, records: record != nil || why), report)
        var source = try OOMKillSource(
            session, victims, stack: stack, record: file.take(), explains: why, advises: advise)
        try ReportLoop.run(&source, &session, ReportLoop.Pace(duration: report.duration?.value))
        try session.finish()
    }
}
