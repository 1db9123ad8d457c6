// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser

/// A subcommand that help and a manual page say more of than its options.
protocol Guided: ParsableCommand {
    static var guide: Guide { get }
}

extension Guided {
    /// Its name on the command line, in reports, and in `SWIFTMEM_RUNG`.
    static var name: String { configuration.commandName ?? _commandName }
}

/// What help and the manual page of a subcommand say beside its options.
struct Guide {
    /// A call as it is typed, and what it is for.
    struct Example {
        /// Behind `swiftmem`.
        let call: String
        let purpose: String

        init(_ call: String, _ purpose: String) {
            self.call = call
            self.purpose = purpose
        }
    }

    /// Three or more, the plainest first.
    let examples: [Example]
    /// What a run costs the machine, as it was measured.
    let overhead: String
    /// Files that it reads or writes beside those that every tool does, with what for.
    var files: [(path: String, purpose: String)] = []
    /// Manual pages to read next, "vmstat(8)".
    var seeAlso: [String] = []

    /// What stands at the end of `--help`.
    var epilogue: String { Self.epilogue(examples) }

    static func epilogue(_ examples: [Example]) -> String {
        let width = (examples.map(\.call.count).max() ?? 0) + "swiftmem ".count
        // beside the call where both fit, below it where not
        let lines = examples.map { example in
            let call = "swiftmem \(example.call)"
            return width + example.purpose.count + 4 < 80
                ? "  \(call.padding(to: width))  \(example.purpose)" : "  \(call)\n      \(example.purpose)"
        }
        return "EXAMPLES:\n" + lines.joined(separator: "\n")
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}

/// Every subcommand that has a guide: the tools and what helps with them, in the order of help.
let guidedCommands: [any Guided.Type] =
    tools.map { $0 as any Guided.Type } + [Doctor.self, SchemaCommand.self, SamplerCommand.self]
