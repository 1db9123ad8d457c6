// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Unwind

/// Which processes a tool traces from their stacks: the same words in every such tool. `ProcessTarget` checks them.
struct TargetOptions: ParsableArguments {
    @Option(
        name: [.short, .long], help: "Trace this process; may be given several times.", completion: .processID)
    var pid: [TaskID] = []

    @Option(
        name: [.customShort("c"), .long],
        help: "Run and trace this command; its arguments behind it, or after --.",
        completion: .file())
    var command: String?

    @Option(
        help: ArgumentHelp(
            "Trace all processes in this cgroup or below, new ones too.", valueName: "path"),
        completion: .cgroup)
    var cgroup: String?

    @Flag(help: "Trace also what the processes fork, by -p and by -c.")
    var follow = false

    @Flag(help: "End with the command's own exit status.")
    var exitStatus = false

    /// The command, whose words blanks part, and its arguments; empty where none is given.
    ///
    /// - Parameter rest: what stands behind `--`.
    func words(_ rest: [String]) -> [String] {
        (command.map { $0.split(separator: " ").map(String.init) } ?? []) + rest
    }

    /// Ends with the command's exit status, where that was asked for and is not 0.
    func check(_ status: Int32?) throws {
        if let status, exitStatus, status != 0 { throw ExitCode(status) }
    }
}

/// How user stacks are walked and shown: the same words in every tool that walks them.
struct StackOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Walk stacks by frame pointers (fp), by unwind tables (dwarf), or by tables where there are any (auto).",
            valueName: "how"))
    var stack: StackMode = .auto

    @Flag(help: "Name source files and lines, where there is debug information.")
    var lines = false
}
