// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Glibc
internal import LibBPF
internal import Probes
internal import SystemLayer

/// The command: `swiftmem TOOL`, or a link to it that bears a tool's name.
@main
struct Swiftmem: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swiftmem",
        abstract: "Where did the memory go? Memory tracing with eBPF.",
        discussion: """
            Tracing needs root, or CAP_BPF and CAP_PERFMON. `swiftmem doctor` tells what \
            works on this kernel. A link to swiftmem that is named like a tool runs the tool.
            """,
        version: "\(swiftmemVersion) (commit \(buildCommit))",
        subcommands: tools + [Doctor.self, SchemaCommand.self])

    static func main() {
        StandardDescriptors.openMissing()
        OpenFileLimit.raise()
        // Before anything else that takes time: a signal from now on ends a report, not the process.
        Signals.block()
        Environment.widenHelp(reported: terminalWidth())
        var arguments = Array(CommandLine.arguments.dropFirst())
        if let tool = Self.tool(invokedAs: CommandLine.arguments.first ?? "") { arguments.insert(tool, at: 0) }
        var chosen: any ParsableCommand.Type = Self.self
        do {
            var command = try parseAsRoot(arguments)
            chosen = type(of: command)
            try command.run()
        } catch {
            if let failure = Failure(explaining: error) {
                failure.report(usage: usageString(for: chosen))
                Glibc.exit(failure.status)
            }
            // usage, help and version, as the parser words them: 64, 0, 0
            Self.exit(withError: error)
        }
    }
}

extension Swiftmem {
    /// The tool whose name a link to the command bears, as packages make them: "cachestat", "cachestat-swiftmem".
    static func tool(invokedAs path: String) -> String? {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        let suffix = "-swiftmem"
        let bare = name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : name
        return tools.contains { $0.name == bare } ? bare : nil
    }
}

/// Columns of the terminal; 80 where there is none.
private func terminalWidth() -> Int {
    var size = winsize()
    return ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 ? Int(size.ws_col) : 80
}
