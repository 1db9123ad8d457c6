// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser

/// The arguments and options of a command as the parser's help words them: the one list of them that there is.
struct HelpText {
    /// An argument or an option.
    struct Entry: Equatable {
        /// As it is called: "-p, --pid <pid>", "<interval>".
        let label: String
        let help: String

        /// The names of an option: ["-p", "--pid"]; none of an argument.
        var names: [String] {
            label.split(separator: " ").compactMap { word in
                guard word.hasPrefix("-") else { return nil }
                let name = word.last == "," ? word.dropLast() : word
                return String(name.prefix { $0 != "=" })
            }
        }

        /// Is it an option with a value?
        var takesValue: Bool { valueCount > 0 }

        /// How many values an option takes at once.
        var valueCount: Int { label.hasPrefix("-") ? label.count { $0 == "<" } : 0 }

        /// Is its value the id of a process or a thread?
        var takesTaskID: Bool { label.hasSuffix("<pid>") || label.hasSuffix("<tid>") }

        /// May it be given more than once? Its help says so.
        var isRepeatable: Bool { help.contains("several times") }
    }

    let arguments: [Entry]
    let options: [Entry]

    init(_ command: any ParsableCommand.Type, includeHidden: Bool = false) {
        // nothing is wrapped at this width
        let help = Swiftmem.helpMessage(for: command, includeHidden: includeHidden, columns: 100_000)
        let lines = help.split(separator: "\n", omittingEmptySubsequences: false)
        arguments = Self.section("ARGUMENTS:", lines)
        options = Self.section("OPTIONS:", lines)
    }

    /// The entries below a heading, up to the next empty line.
    private static func section(_ heading: String, _ lines: [Substring]) -> [Entry] {
        guard let start = lines.firstIndex(of: heading[...]) else { return [] }
        var entries: [Entry] = []
        for line in lines[(start + 1)...].prefix(while: { !$0.isEmpty }) {
            let text = line.drop { $0 == " " }
            if line.count - text.count > 2, let last = entries.popLast() {
                // a label that leaves no room has its help on the next line
                entries.append(
                    Entry(label: last.label, help: last.help.isEmpty ? String(text) : last.help + " " + text))
                continue
            }
            // names and the value's name; a label that fills its column has one blank behind it
            let words = text.split(separator: " ")
            let label = words.prefix { $0.hasPrefix("-") || $0.hasPrefix("<") }
            entries.append(
                Entry(label: label.joined(separator: " "), help: words.dropFirst(label.count).joined(separator: " ")))
        }
        return entries
    }

    /// Is the first argument the seconds between reports?
    var takesInterval: Bool { arguments.first?.label == "<interval>" }

    /// The option that bears a name.
    func option(_ name: String) -> Entry? { options.first { $0.names.contains(name) } }
}
