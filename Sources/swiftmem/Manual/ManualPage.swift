// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Reports

/// A manual page, in man(7)'s macros: what help says, and what it has no room for.
struct ManualPage {
    private let command: any ParsableCommand.Type
    /// nil: the page of `swiftmem` itself.
    private let guide: Guide?
    private let name: String

    /// The page of a subcommand.
    init(_ command: any Guided.Type) {
        self.command = command
        guide = command.guide
        name = command.name
    }

    /// The page of the command as such.
    init() {
        command = Swiftmem.self
        guide = nil
        name = "swiftmem"
    }

    /// Its file's name without the section.
    var file: String { guide == nil ? name : "swiftmem-\(name)" }

    /// The page's source.
    var text: String {
        var page = Roff()
        page.head(file, version: swiftmemVersion, date: buildDate)
        page.section("NAME")
        // a reader who asks for the tool by the name of a link is led here
        page.name([file] + (isTool ? [name] : []), command.configuration.abstract)
        page.section("SYNOPSIS")
        for line in synopsis { page.line(bold: line) }
        page.section("DESCRIPTION")
        page.paragraphs(command.configuration.discussion)
        let help = HelpText(command)
        if !help.arguments.isEmpty {
            page.section("ARGUMENTS")
            for entry in help.arguments { page.item(entry.label, entry.help) }
        }
        page.section("OPTIONS")
        for entry in help.options { page.item(entry.label, entry.help) }
        if guide == nil { subcommands(&page) }
        page.section("EXAMPLES")
        for example in guide?.examples ?? Swiftmem.examples { page.item("swiftmem \(example.call)", example.purpose) }
        page.section("FILES")
        for file in (guide?.files ?? []) + Self.files { page.item(file.path, file.purpose) }
        page.section("ENVIRONMENT")
        for variable in Environment.Variable.allCases { page.item(variable.rawValue, variable.purpose) }
        page.section("EXIT STATUS")
        for status in Failure.Status.meanings { page.item("\(status.code)", status.meaning) }
        page.section("OVERHEAD")
        page.paragraphs(guide?.overhead ?? "Each tool's page has what it was measured to cost.")
        page.section("SEE ALSO")
        page.paragraphs(seeAlso.joined(separator: ", "))
        return page.text
    }

    private var isTool: Bool { tools.contains { $0.name == name } }

    private var synopsis: [String] {
        Swiftmem.usageString(for: command).split(separator: "\n").map { line in
            let words = line.drop { $0 == " " }
            return String(words.hasPrefix("Usage: ") ? words.dropFirst("Usage: ".count) : words)
        }
    }

    private func subcommands(_ page: inout Roff) {
        page.section("SUBCOMMANDS")
        for command in guidedCommands { page.item(command.name, command.configuration.abstract) }
    }

    /// Every page but its own, and what else there is to read.
    private var seeAlso: [String] {
        let own =
            guide == nil ? guidedCommands.map { "swiftmem-\($0.name)(8)" } : ["swiftmem(8)", "swiftmem-doctor(8)"]
        return own.filter { $0 != "\(file)(8)" } + (guide?.seeAlso ?? ["capabilities(7)", "proc(5)"])
    }

    /// Read and written by all.
    private static let files: [(path: String, purpose: String)] = [
        ("/sys/kernel/btf/vmlinux", "The kernel's types, by which the programs fit themselves to it; see --btf."),
        ("/usr/share/swiftmem/schema", "JSON Schemas of what --json prints."),
    ]
}

/// Text in man(7)'s macros.
struct Roff {
    private(set) var text = ""

    mutating func head(_ name: String, version: String, date: String) {
        text +=
            ".TH \"\(Self.escaped(name.uppercased()))\" 8 \"\(date)\" \"swiftmem \(Self.escaped(version))\" \"System Administration\"\n"
        // words are not broken and lines not spread: much of it is to be typed
        text += ".nh\n.ad l\n"
    }

    mutating func section(_ name: String) { text += ".SH \"\(name)\"\n" }

    /// The line that `whatis` and `apropos` go by.
    mutating func name(_ names: [String], _ abstract: String) {
        let plain = abstract.last == "." ? String(abstract.dropLast()) : abstract
        text += names.map(Self.escaped).joined(separator: ", ") + " \\- " + Self.escaped(plain) + "\n"
    }

    mutating func line(bold: String) { text += ".B \(Self.escaped(bold))\n.br\n" }

    /// A word or a call, and what it is.
    mutating func item(_ label: String, _ meaning: String) {
        text +=
            ".TP\n.B \"\(Self.escaped(label).split(separator: "\"").joined(separator: "\\(dq"))\"\n\(Self.guarded(meaning))\n"
    }

    /// Paragraphs with an empty line between.
    mutating func paragraphs(_ prose: String) {
        var isFirst = true
        for paragraph in prose.split(separator: "\n\n") {
            if !isFirst { text += ".PP\n" }
            isFirst = false
            for line in paragraph.split(separator: "\n") { text += Self.guarded(String(line)) + "\n" }
        }
    }

    /// A line of text: none of it is a macro.
    private static func guarded(_ line: String) -> String {
        let text = escaped(line)
        return text.first == "." || text.first == "'" ? "\\&" + text : text
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "\\": result += "\\e"
            // a hyphen that is typed, not one that is set
            case "-": result += "\\-"
            case "~": result += "\\(ti"
            case "^": result += "\\(ha"
            case "`": result += "\\(ga"
            case "…": result += "..."
            default: result.append(character)
            }
        }
        return result
    }
}
