// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Reports
internal import Unwind

/// growth's options. GrowthPlan checks what goes together.
struct GrowthArguments: ParsableArguments {
    @Option(name: [.short, .long], help: "Trace this process; may be given several times.")
    var pid: [TaskID] = []

    @Option(
        name: [.customShort("c"), .long],
        help: "Run and trace this command; its arguments behind it, or after --.")
    var command: String?

    @Option(
        help: ArgumentHelp(
            "Trace all processes in this cgroup or below, new ones too.", valueName: "path"))
    var cgroup: String?

    @Flag(help: "Trace also what the processes fork, by -p and by -c.")
    var follow = false

    @Flag(help: "End with the command's own exit status.")
    var exitStatus = false

    @Option(name: [.customShort("T"), .long], help: ArgumentHelp("Stacks to show.", valueName: "n"))
    var top: ReportCount = ReportCount(value: 10)

    @Option(
        help: ArgumentHelp(
            "Walk stacks by frame pointers (fp), by unwind tables (dwarf), or by tables where there are any (auto).",
            valueName: "how"))
    var stack: StackMode = .auto

    @Flag(help: "Name source files and lines, where there is debug information.")
    var lines = false

    @Argument(help: "Seconds between reports.")
    var interval = Seconds(5)

    @Argument(help: "Reports to make (default: until Ctrl-C).")
    var count: ReportCount?

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("The command, or its arguments.", valueName: "argument"))
    var rest: [String] = []

    /// The command and its arguments; empty where none is given.
    var words: [String] { CommandWords.of(command, rest) }
}
