// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Reports
internal import SystemLayer

/// The words of a call, read once before the parser has them: it takes what it does not, as bcc's tools did (`-T5`,
/// `-p123`), and refuses with a better word what it would refuse or, worse, understand otherwise.
struct Call {
    /// For the parser.
    private(set) var words: [String]
    /// The subcommand that is called; nil: none, or the root's help.
    let command: (any Guided.Type)?

    /// - Throws: `Failure`, a misuse.
    init(_ words: [String]) throws(Failure) {
        self.words = words
        command = Self.command(words)
        // what a shell's completion script asks is for the parser
        guard let first = words.first, first != "---completion" else { return }
        if Self.helpOptions.contains(first), words.count > 1, command != nil {
            self.words = ["help", words[1]]
            return
        }
        if first == "help" {
            if words.count > 1, !words[1].hasPrefix("-"), command == nil,
                words[1] != ManualCommand.configuration.commandName
            {
                throw .badValue(Suggestion.noSubcommand(words[1]))
            }
            return
        }
        guard let command else {
            if first == ManualCommand.configuration.commandName { return }
            if ["version", "-v", "-V"].contains(first) {
                throw Failure(
                    status: Failure.Status.usage, message: "there is no \(first)",
                    remedy: "the version: swiftmem --version")
            }
            if !first.hasPrefix("-") { throw .badValue(Suggestion.noSubcommand(first)) }
            let isRoots =
                Self.helpOptions.contains(first) || first == "--version" || first.hasPrefix("--generate-")
                || first.hasPrefix("--experimental-")
            if isRoots { return }
            throw Failure(
                status: Failure.Status.usage, message: "a tool comes first: swiftmem TOOL \(Printable.text(first))",
                remedy: "there are " + guidedCommands.map { $0.name }.joined(separator: ", "), isMisuse: true)
        }
        let reading = try Reading(Array(words.dropFirst()), of: command)
        self.words = [first] + reading.words
    }

    private static let helpOptions = ["-h", "--help"]

    /// The subcommand that words begin with, or that help is asked of.
    static func command(_ words: [String]) -> (any Guided.Type)? {
        let asksHelp = words.first.map { $0 == "help" || helpOptions.contains($0) } ?? false
        let name = asksHelp ? words.dropFirst().first : words.first
        return guidedCommands.first { $0.name == name }
    }
}

/// A subcommand's words: options with their values, and what stands beside them.
private struct Reading {
    private(set) var words: [String] = []
    private let command: any Guided.Type
    private let help: HelpText
    /// How often each option with a value was given, by its label.
    private var given: [String: Int] = [:]
    private var positional: [String] = []

    init(_ input: [String], of command: any Guided.Type) throws(Failure) {
        self.command = command
        help = HelpText(command, includeHidden: true)
        var rest = input[...]
        while let word = rest.popFirst() {
            if word == "--" {
                words += [word] + rest
                break
            }
            if word.hasPrefix("--") {
                try long(word, &rest)
            } else if word.hasPrefix("-") && word.count > 1 {
                try short(word, &rest)
            } else {
                positional.append(word)
                words.append(word)
            }
        }
        try checkPositional()
    }

    private mutating func long(_ word: String, _ rest: inout ArraySlice<String>) throws(Failure) {
        let name = String(word.prefix { $0 != "=" })
        // the parser's own, in no help
        if ["--generate-", "--experimental-", "--help-"].contains(where: { name.hasPrefix($0) }) {
            return words.append(word)
        }
        guard let option = help.option(name) else { throw noOption(name) }
        words.append(word)
        guard option.takesValue else { return }
        try count(option, as: name)
        let own = word.contains("=") ? String(word.dropFirst(name.count + 1)) : nil
        if let own { try check(own, of: option, as: name) }
        for _ in (own == nil ? 0 : 1)..<option.valueCount {
            guard let value = rest.popFirst() else { return }
            try check(value, of: option, as: name)
            words.append(value)
        }
    }

    private func noOption(_ name: String) -> Failure {
        Failure(
            status: Failure.Status.usage, message: "\(command.name) has no option \(Printable.text(name))",
            remedy: Suggestion.noOption(name, of: command), isMisuse: true)
    }

    /// A name, or a list, where the id of one process is wanted.
    private func check(_ value: String, of option: HelpText.Entry, as name: String) throws(Failure) {
        guard option.takesTaskID, !value.isEmpty, !value.hasPrefix("-"), UInt64(value) == nil else { return }
        let ids = value.split(whereSeparator: { ", ".contains($0) })
        let remedy =
            if ids.count > 1, ids.allSatisfy({ UInt64($0) != nil }) {
                option.isRepeatable
                    ? "several: " + ids.map { "\(name) \($0)" }.joined(separator: " ")
                    : "\(command.name) takes one at a time"
            } else {
                TaskHint(value, options: help).id(of: command.name)
            }
        throw Failure(
            status: Failure.Status.usage, message: "\(Printable.text(value)) is no process id", remedy: remedy,
            isMisuse: true)
    }

    /// Letters of flags, and one of an option with its value behind it.
    private mutating func short(_ word: String, _ rest: inout ArraySlice<String>) throws(Failure) {
        let letters = Array(word.dropFirst())
        for (index, letter) in letters.enumerated() {
            guard let option = help.option("-\(letter)") else {
                // "-1" is for the parser to refuse
                if letter.isLetter { throw noOption("-\(letter)") }
                break
            }
            guard option.takesValue else { continue }
            try count(option, as: "-\(letter)")
            let value = String(letters[(index + 1)...])
            if value.isEmpty {
                words.append(word)
                guard let next = rest.popFirst() else { return }
                try check(next, of: option, as: "-\(letter)")
                words.append(next)
            } else {
                try check(value.hasPrefix("=") ? String(value.dropFirst()) : value, of: option, as: "-\(letter)")
                if index > 0 { words.append("-" + String(letters[..<index])) }
                words += ["-\(letter)", value.hasPrefix("=") ? String(value.dropFirst()) : value]
            }
            return
        }
        words.append(word)
    }

    private mutating func count(_ option: HelpText.Entry, as name: String) throws(Failure) {
        given[option.label, default: 0] += 1
        if given[option.label] == 2 && !option.isRepeatable {
            throw .usage("\(command.name) takes \(name) once: the other value would be passed over in silence")
        }
    }

    /// A word where a number of seconds is wanted, or a number where nothing is.
    private func checkPositional() throws(Failure) {
        guard let first = positional.first else { return }
        if help.arguments.isEmpty {
            let isNumber = Double(first) != nil
            throw Failure(
                status: Failure.Status.usage,
                message: "\(command.name) takes no \(isNumber ? "interval" : "argument"): \(Printable.text(first))",
                remedy: isNumber && help.option("--duration") != nil
                    ? "it reports as things happen; -d \(first) ends it after this many seconds"
                    : TaskHint(first, options: help).call(of: command.name),
                isMisuse: true)
        }
        guard help.takesInterval, Double(first) == nil else { return }
        throw Failure(
            status: Failure.Status.usage, message: "\(Printable.text(first)) is no number of seconds",
            remedy: hint(instead: first), isMisuse: true)
    }

    private func hint(instead word: String) -> String? {
        let digits = word.prefix { $0.isNumber || $0 == "." }
        if !digits.isEmpty { return "an interval is in seconds, without a unit: \(digits)" }
        if help.option("--command").map({ given[$0.label] != nil }) == true {
            return "arguments of a command stand behind --, as in: -c ls -- -l"
        }
        return TaskHint(word, options: help).call(of: command.name)
    }
}
