// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Glibc
internal import LibBPF
internal import Probes
internal import Symbols
internal import SystemLayer
internal import Unwind

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
        subcommands: tools + [Doctor.self, SchemaCommand.self, SamplerCommand.self, ManualCommand.self])

    static func main() {
        if CommandLine.arguments.dropFirst().first == ParserProcess.argument { serve() }
        StandardDescriptors.openMissing()
        if CommandLine.arguments.isEmpty { endWithoutProc() }
        OpenFileLimit.raise()
        // Before anything else that takes time: a signal from now on ends a report, not the process.
        Signals.block()
        Environment.widenHelp(reported: terminalWidth())
        var arguments = Array(CommandLine.arguments.dropFirst())
        if let tool = Self.tool(invokedAs: CommandLine.arguments.first ?? "") { arguments.insert(tool, at: 0) }
        // whose usage is shown with a misuse
        let chosen: any ParsableCommand.Type = Call.command(arguments) ?? Self.self
        do {
            let call = try Call(arguments)
            var command = try parseAsRoot(call.words)
            try command.run()
        } catch {
            let failure = Failure(explaining: error) ?? self.failure(showing: error, to: chosen)
            failure.report(usage: usageString(for: chosen))
            Glibc.exit(failure.status)
        }
    }
}

extension Swiftmem {
    /// `swiftmem parse-files`, which this program starts itself as: interprets files for it. With `--try WHAT` it does what
    /// it must not be able to do.
    private static func serve() -> Never {
        let service = ParserService()
        service.addUnwinding()
        service.add(.placement, ProbePlacement.answer)
        if let attempt = CommandLine.arguments.dropFirst(3).first { service.attempt(attempt) }
        service.run()
    }

    /// Swift's library reads the words of a call in /proc/self/cmdline: without them any call would seem to be one for help.
    private static func endWithoutProc() -> Never {
        let failure = Failure(
            status: Failure.Status.system, message: "/proc is not mounted here, and nothing can be told without it",
            remedy: "mount it: mount -t proc proc /proc")
        failure.report(usage: "")
        Glibc.exit(failure.status)
    }

    /// The tool whose name a link to the command bears, as packages make them: "cachestat", "cachestat-swiftmem".
    static func tool(invokedAs path: String) -> String? {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        let suffix = "-swiftmem"
        let bare = name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : name
        return tools.contains { $0.name == bare } ? bare : nil
    }
}

extension Swiftmem {
    /// What help of the command as such ends with.
    static let examples: [Guide.Example] = [
        .init("doctor", "does it work on this machine?"),
        .init("memleak -p 1234", "which stacks of a process allocate and never free"),
        .init("cachetop", "how well the page cache serves each process"),
    ]

    /// Ends with help or a version on standard output, or with the parser's own words about a call: 0, or 64.
    ///
    /// - Returns: why help could not be written.
    private static func failure(showing error: any Error, to command: any ParsableCommand.Type) -> Failure {
        guard exitCode(for: error) == .success else { exit(withError: error) }
        var text = fullMessage(for: error)
        if text.hasPrefix("OVERVIEW: ") {
            let guide = (command as? any Guided.Type)?.guide
            text += (text.hasSuffix("\n") ? "\n" : "\n\n") + (guide?.epilogue ?? Guide.epilogue(examples))
        }
        let code = text.isEmpty ? 0 : writeAll(STDOUT_FILENO, Array((text + "\n").utf8))
        // who reads no further has what he wanted
        if code == 0 || code == EPIPE { Glibc.exit(0) }
        return Failure(status: Failure.Status.output, message: "can't write the help: \(errorText(code))")
    }
}

/// Columns of the terminal; 80 where there is none.
private func terminalWidth() -> Int {
    var size = winsize()
    return ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 ? Int(size.ws_col) : 80
}
