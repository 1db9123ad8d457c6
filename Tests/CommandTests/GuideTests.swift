// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Probes
import Testing

@testable import swiftmem

/// Help and manual pages: they derive from the registry, and what they say can be done.
@Suite struct Guides {
    private static let names: [String] = guidedCommands.map { $0.name }

    private func command(_ name: String) throws -> any Guided.Type {
        try #require(guidedCommands.first { $0.name == name })
    }

    @Test("three examples or more, which the parser takes, with a purpose each", arguments: names)
    func examples(name: String) throws {
        let guide = try command(name).guide
        #expect(guide.examples.count >= 3)
        #expect(!guide.overhead.isEmpty)
        for example in guide.examples {
            // what a shell takes away
            let words = example.call.split(separator: " ").map(String.init).filter { !$0.hasPrefix(">") }
            #expect(words.first == name && !example.purpose.isEmpty)
            #expect(throws: Never.self, "\(example.call)") { try Swiftmem.parseAsRoot(try Call(words).words) }
        }
        for line in guide.epilogue.split(separator: "\n") { #expect(line.count < 80, "\(line)") }
    }

    @Test("an option that is a list says that it may be given several times, and no other does", arguments: names)
    func repeatable(name: String) throws {
        let help = HelpText(try command(name), includeHidden: true)
        #expect(!help.options.isEmpty)
        // --diff takes two at once
        let lists = Self.lists(in: try Swiftmem.parseAsRoot([name])).subtracting(["--diff"])
        #expect(Set(help.options.filter(\.isRepeatable).compactMap { $0.names.last }) == lists)
    }

    /// Long names of the options of a command whose values are arrays.
    private static func lists(in value: Any) -> Set<String> {
        Mirror(reflecting: value).children.reduce(into: []) { found, child in
            let type = String(describing: Swift.type(of: child.value))
            if type.hasPrefix("Option<Array<"), let label = child.label {
                found.insert("--" + label.drop { $0 == "_" })
            } else if let group = child.value as? any OptionGrouping {
                found.formUnion(lists(in: group.members))
            }
        }
    }

    @Test("options as help words them")
    func helpText() throws {
        let help = HelpText(MemLeak.self)
        #expect(
            help.arguments.first == HelpText.Entry(label: "<interval>", help: "Seconds between reports. (default: 5)"))
        let pid = try #require(help.option("-p"))
        #expect(pid.names == ["-p", "--pid"] && pid.takesValue && pid.isRepeatable)
        let command = try #require(help.option("--command"))
        #expect(command.names == ["-c", "--command"] && command.takesValue && !command.isRepeatable)
        #expect(command.help == "Run and trace this command; its arguments behind it, or after --.")
        #expect(help.option("-t")?.takesValue == false)
        #expect(help.option("--nope") == nil)
        #expect(HelpText(Doctor.self).option("--verifier") == nil)
        #expect(HelpText(Doctor.self, includeHidden: true).option("--verifier") != nil)
    }

    @Test("a manual page has every section, every option, and leads to pages that there are", arguments: names)
    func manual(name: String) throws {
        let page = ManualPage(try command(name))
        let sections = page.text.split(separator: "\n").filter { $0.hasPrefix(".SH ") }.map {
            $0.dropFirst(5).dropLast()
        }
        let wanted = [
            "NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "FILES", "ENVIRONMENT", "EXIT STATUS", "OVERHEAD",
            "SEE ALSO",
        ]
        #expect(sections.filter { $0 != "ARGUMENTS" } == wanted.map { $0[...] })
        #expect(page.file == "swiftmem-\(name)")
        for option in HelpText(try command(name)).options {
            for word in option.names {
                #expect(
                    page.text.contains(
                        word.split(separator: "-", omittingEmptySubsequences: false).joined(separator: "\\-")))
            }
        }
        let pages = Set(guidedCommands.map { ManualPage($0).file } + ["swiftmem"])
        for word in try command(name).guide.seeAlso where word.hasPrefix("swiftmem") {
            #expect(pages.contains(String(word.dropLast(3))), "\(word)")
        }
        // no line of text is read as a macro
        for line in page.text.split(separator: "\n") where line.hasPrefix(".") || line.hasPrefix("'") {
            #expect(
                [".TH", ".SH", ".TP", ".B ", ".br", ".PP", ".nh", ".ad"].contains { line.hasPrefix($0) }, "\(line)")
        }
    }

    @Test("whatis finds a tool by its own name too")
    func whatis() {
        #expect(
            ManualPage(CacheStat.self).text.contains("\nswiftmem\\-cachestat, cachestat \\- Page cache hits and misses")
        )
        #expect(ManualPage(Doctor.self).text.contains("\nswiftmem\\-doctor \\- What works"))
        #expect(ManualPage().text.contains("\nswiftmem \\- Where did the memory go?"))
    }

    @Test("every environment variable and every exit status of the program is in the pages")
    func environment() {
        let text = ManualPage().text
        for variable in Environment.Variable.allCases { #expect(text.contains(variable.rawValue)) }
        #expect(Failure.Status.meanings.map(\.code) == [0, 1, 64, 69, 70, 71, 74, 77])
    }

    @Test(
        "names of links",
        arguments: [
            ("/usr/sbin/cachestat-swiftmem", "cachestat"), ("cachestat", "cachestat"), ("./memleak", "memleak"),
            ("swiftmem", nil), ("doctor", nil), ("-swiftmem", nil), ("", nil), ("cachestat-bpfcc", nil),
        ])
    func links(path: String, tool: String?) {
        #expect(Swiftmem.tool(invokedAs: path) == tool)
    }
}

@Suite struct DoctorWords {
    private func finding(_ tool: String, _ mode: String? = nil, fails: String? = nil) -> DoctorFinding {
        DoctorFinding(tool: tool, mode: mode, failure: fails, wanting: [], choices: [])
    }

    @Test("the first line is the verdict")
    func verdict() {
        #expect(
            DoctorText.verdict([finding("a"), finding("b", "x"), finding("b", "y")])
                == "All 2 tools work on this kernel.")
        #expect(DoctorText.verdict([finding("a")]) == "a works on this kernel.")
        #expect(DoctorText.verdict([finding("a", fails: "no")]) == "a does not work on this kernel.")
        #expect(
            DoctorText.verdict([finding("a", fails: "no"), finding("b", fails: "no")])
                == "No tool works on this kernel.")
        #expect(
            DoctorText.verdict([
                finding("a"), finding("b", fails: "no"), finding("c", "x", fails: "no"), finding("c", "y"),
            ])
                == "2 of 3 tools work on this kernel; not b, c (x).")
    }

    @Test("a screen: no line is longer than 80, and colour is put in where it is wanted")
    func brief() {
        let long = "oomkill can't see " + String(repeating: "x", count: 100) + " on this kernel"
        let findings = [finding("oomkill", fails: long), finding("memleak", "kernel")]
        let lines = DoctorText(isColoured: false).brief(findings)
        #expect(lines.count == 2)
        #expect(
            lines[0].count == 80 && lines[0].hasPrefix("oomkill           DOES NOT WORK: can't see xxx")
                && lines[0].hasSuffix("..."))
        #expect(lines[1] == "memleak (kernel)  works")
        #expect(DoctorText(isColoured: true).brief(findings)[1] == "memleak (kernel)  \u{1b}[32mworks\u{1b}[0m")
    }
}

private protocol OptionGrouping {
    var members: Any { get }
}

extension OptionGroup: OptionGrouping {
    fileprivate var members: Any { wrappedValue }
}
