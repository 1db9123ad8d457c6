// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Reports
import SystemLayer
import Testing

@testable import swiftmem

/// A call that people make and that is not right, or that bcc's tools take, with what it gave before and gives now.
struct FirstWord: Sendable, CustomTestStringConvertible {
    let call: String
    /// Until version 0.1.0, for the reader.
    let before: String
    /// The first line and the advice below it, or the words that the parser gets.
    let after: Answer

    enum Answer: Sendable, Equatable {
        case says(String, advice: String?)
        case parses(String)
    }

    init(_ call: String, before: String, says message: String, advice: String? = nil) {
        (self.call, self.before, after) = (call, before, .says(message, advice: advice))
    }

    init(_ call: String, before: String, parsesAs words: String) {
        (self.call, self.before, after) = (call, before, .parses(words))
    }

    var testDescription: String { "swiftmem \(call)" }

    private static let unexpected = "Error: Unexpected argument"
    private static let unknown = "Error: Unknown option"
    private static let usage = "Usage: swiftmem <subcommand>"

    static let all: [FirstWord] = [
        // a tool's name
        .init("cachestats", before: unexpected, says: "no tool is called cachestats; did you mean cachestat?"),
        .init("cachestst", before: unexpected, says: "no tool is called cachestst; did you mean cachestat?"),
        .init("memlek", before: unexpected, says: "no tool is called memlek; did you mean memleak?"),
        .init("memelak", before: unexpected, says: "no tool is called memelak; did you mean memleak?"),
        .init("mem-leak", before: unexpected, says: "no tool is called mem-leak; did you mean memleak?"),
        .init("MemLeak", before: unexpected, says: "no tool is called MemLeak; did you mean memleak?"),
        .init("oomkiller", before: unexpected, says: "no tool is called oomkiller; did you mean oomkill?"),
        .init("oom", before: unexpected, says: "no tool is called oom; did you mean oomkill?"),
        .init("swapins", before: unexpected, says: "no tool is called swapins; did you mean swapin?"),
        .init("swap", before: unexpected, says: "no tool is called swap; did you mean swapin?"),
        .init("shmsnop", before: unexpected, says: "no tool is called shmsnop; did you mean shmsnoop?"),
        .init("ipcs", before: unexpected, says: "no tool is called ipcs; did you mean shmsnoop?"),
        .init("top", before: unexpected, says: "no tool is called top; did you mean cachetop?"),
        .init("leaks", before: unexpected, says: "no tool is called leaks; did you mean memleak?"),
        .init("docter", before: unexpected, says: "no tool is called docter; did you mean doctor?"),
        .init("help memlek", before: "the root's help", says: "no tool is called memlek; did you mean memleak?"),
        .init("\u{1b}[31mx memleak", before: unexpected, says: "no tool is called \\x1b[31mx; there are \(names)"),
        .init("-p 1", before: unknown, says: "a tool comes first: swiftmem TOOL -p", advice: "there are \(names)"),
        .init(
            "--json", before: unknown, says: "a tool comes first: swiftmem TOOL --json", advice: "there are \(names)"),
        // options
        .init("memleak --pids 1", before: unknown, says: "memleak has no option --pids", advice: "did you mean --pid?"),
        .init(
            "memleak --folow", before: unknown, says: "memleak has no option --folow", advice: "did you mean --follow?"),
        .init(
            "memleak --process 1", before: unknown, says: "memleak has no option --process",
            advice: "did you mean --pid?"),
        .init(
            "memleak --cmd ls", before: unknown, says: "memleak has no option --cmd", advice: "did you mean --command?"),
        .init(
            "cachestat --time", before: "did you mean '--wide'?", says: "cachestat has no option --time",
            advice: "did you mean --timestamp?"),
        .init(
            "cachestat --seconds 3", before: unknown, says: "cachestat has no option --seconds",
            advice: "did you mean --duration?"),
        .init(
            "cachestat --timeout 3", before: unknown, says: "cachestat has no option --timeout",
            advice: "did you mean --duration?"),
        .init(
            "cachestat --rows 3", before: unknown, says: "cachestat has no option --rows",
            advice: "cachetop, meminfo have it"),
        .init(
            "cachestat --orphans", before: unknown, says: "cachestat has no option --orphans", advice: "shmsnoop has it"
        ),
        .init(
            "cachestat --zzz", before: unknown, says: "cachestat has no option --zzz",
            advice: "swiftmem cachestat --help lists those that it has"),
        .init(
            "cachetop --limit 3", before: unknown, says: "cachetop has no option --limit",
            advice: "did you mean --rows?"),
        .init(
            "cachetop --container x", before: unknown, says: "cachetop has no option --container",
            advice: "did you mean --cgroup?"),
        .init(
            "oomkill --debug", before: unknown, says: "oomkill has no option --debug", advice: "did you mean --verbose?"
        ),
        .init("doctor --jsno", before: unknown, says: "doctor has no option --jsno", advice: "did you mean --json?"),
        .init(
            "doctor --details", before: unknown, says: "doctor has no option --details", advice: "did you mean --all?"),
        .init(
            "memleak --flame x", before: "did you mean --folded?", says: "memleak has no option --flame",
            advice: "did you mean --flamegraph?"),
        .init(
            "memleak --svg x", before: unknown, says: "memleak has no option --svg",
            advice: "did you mean --flamegraph?"),
        .init(
            "growth --collapsed x", before: unknown, says: "growth has no option --collapsed",
            advice: "swiftmem growth --help lists those that it has"),
        .init(
            "cachetop --interval 5", before: unknown, says: "cachetop has no option --interval",
            advice: "seconds and a count are words of their own: swiftmem cachetop 5 3"),
        .init(
            "cachestat -i 5", before: "Unknown option '-i'", says: "cachestat has no option -i",
            advice: "seconds and a count are words of their own: swiftmem cachestat 5 3"),
        .init(
            "swapin --count 5", before: unknown, says: "swapin has no option --count",
            advice: "seconds and a count are words of their own: swiftmem swapin 5 3"),
        .init(
            "oomkill -f", before: "Unknown option '-f'", says: "oomkill has no option -f",
            advice: "swiftmem oomkill --help lists those that it has"),
        // the command as such
        .init("version", before: unexpected, says: "there is no version", advice: "the version: swiftmem --version"),
        .init("-V", before: unknown, says: "there is no -V", advice: "the version: swiftmem --version"),
        .init("--help memleak", before: "the root's help", parsesAs: "help memleak"),
        // a process by its name
        .init(
            "memleak -p no-such-program", before: "is invalid for '-p <pid>'", says: "no-such-program is no process id",
            advice: "no process is called no-such-program; pgrep -l tells ids"),
        .init(
            "cachestat --pid=no-such-program", before: "is invalid for '--pid <pid>'",
            says: "no-such-program is no process id",
            advice: "no process is called no-such-program; pgrep -l tells ids"),
        .init(
            "memleak -p 1,2", before: "is invalid for '-p <pid>'", says: "1,2 is no process id",
            advice: "several: -p 1 -p 2"),
        .init(
            "cachestat -p1,2", before: "is invalid for '-p <pid>'", says: "1,2 is no process id",
            advice: "cachestat takes one at a time"),
        // the same option twice
        .init(
            "cachestat -p 1 -p 2", before: "traced 2 alone",
            says: "cachestat takes -p once: the other value would be passed over in silence"),
        .init(
            "cachestat -p1 --pid 2", before: unknown,
            says: "cachestat takes --pid once: the other value would be passed over in silence"),
        .init(
            "oomkill --comm a --comm b", before: "looked for b alone",
            says: "oomkill takes --comm once: the other value would be passed over in silence"),
        .init(
            "memleak -p 1 -T 5 -T 6", before: "showed 6",
            says: "memleak takes -T once: the other value would be passed over in silence"),
        .init("memleak -p 1 -p 2", before: "the same", parsesAs: "memleak -p 1 -p 2"),
        // an interval that is none
        .init(
            "cachestat 1s", before: "is invalid for '<interval>'", says: "1s is no number of seconds",
            advice: "an interval is in seconds, without a unit: 1"),
        .init(
            "cachestat 500ms", before: "is invalid for '<interval>'", says: "500ms is no number of seconds",
            advice: "an interval is in seconds, without a unit: 500"),
        .init(
            "memleak no-such-program", before: "is invalid for '<interval>'",
            says: "no-such-program is no number of seconds",
            advice: "a process is named by its id: swiftmem memleak -p PID"),
        .init(
            "memleak /bin/true", before: "is invalid for '<interval>'", says: "/bin/true is no number of seconds",
            advice: "a command is run by -c: swiftmem memleak -c /bin/true"),
        .init(
            "memleak -c ls nope", before: "is invalid for '<interval>'", says: "nope is no number of seconds",
            advice: "arguments of a command stand behind --, as in: -c ls -- -l"),
        .init(
            "cachestat no-such-program", before: "is invalid for '<interval>'",
            says: "no-such-program is no number of seconds",
            advice: "tasks of that name: swiftmem cachestat --comm no-such-program"),
        .init(
            "oomkill 1", before: unexpected, says: "oomkill takes no interval: 1",
            advice: "it reports as things happen; -d 1 ends it after this many seconds"),
        .init(
            "shmsnoop no-such-program", before: unexpected, says: "shmsnoop takes no argument: no-such-program",
            advice: "tasks of that name: swiftmem shmsnoop --comm no-such-program"),
        // bcc's ways
        .init("memleak -T5 -p 1", before: unknown, parsesAs: "memleak -T 5 -p 1"),
        .init("memleak -p123", before: unknown, parsesAs: "memleak -p 123"),
        .init("memleak -p=123", before: unknown, parsesAs: "memleak -p 123"),
        .init("memleak -taT5", before: unknown, parsesAs: "memleak -ta -T 5"),
        .init("memleak -ta 5 10", before: "the same", parsesAs: "memleak -ta 5 10"),
        .init("memleak -Olibc.so.6 -p1", before: unknown, parsesAs: "memleak -O libc.so.6 -p 1"),
        .init("memleak -z16 -Z4096", before: unknown, parsesAs: "memleak -z 16 -Z 4096"),
        .init("memleak -c cmd -- -T5 --pids", before: "the same", parsesAs: "memleak -c cmd -- -T5 --pids"),
        .init("memleak -c -T5", before: "the command -T5", parsesAs: "memleak -c -T5"),
        .init("memleak --top=5", before: "the same", parsesAs: "memleak --top=5"),
        .init("shmsnoop -nname -t12", before: unknown, parsesAs: "shmsnoop -n name -t 12"),
        .init("cachetop -r10", before: unknown, parsesAs: "cachetop -r 10"),
        .init("cachestat -T 1 -1", before: "Unknown option '-1'", parsesAs: "cachestat -T 1 -1"),
    ]

    private static var names: String { guidedCommands.map { $0.name }.joined(separator: ", ") }
}

@Suite struct FirstWords {
    @Test("what is said to a call, or made of it", arguments: FirstWord.all)
    func call(_ word: FirstWord) {
        let words = word.call.split(separator: " ").map(String.init)
        do throws(Failure) {
            let call = try Call(words)
            #expect(FirstWord.Answer.parses(call.words.joined(separator: " ")) == word.after)
        } catch {
            #expect(error.status == 64)
            #expect(FirstWord.Answer.says(error.message, advice: error.remedy) == word.after)
        }
    }

    @Test("a running process is named where its id is wanted")
    func runningID() throws {
        // the first process is there everywhere
        let first = try #require(ProcessFiles(1).comm)
        let failure = #expect(throws: Failure.self) { try Call(["cachestat", "-p", first]) }
        #expect(failure?.message == "\(Printable.text(first)) is no process id")
        #expect(failure?.remedy?.hasPrefix("swiftmem cachestat -p 1") == true)
    }

    @Test("there are sixty of them") func count() { #expect(FirstWord.all.count >= 60) }

    @Test("a running process is named")
    func runningProcess() throws {
        let own = try #require(ProcessName.own)
        let failure = #expect(throws: Failure.self) { try Call(["memleak", own]) }
        #expect(failure?.message == "\(own) is no number of seconds")
    }

    @Test(
        "distances of words",
        arguments: [
            ("", "", 0), ("a", "", 1), ("", "ab", 2), ("cachestats", "cachestat", 1), ("memelak", "memleak", 1),
            ("kitten", "sitting", 3),
        ])
    func distances(first: String, second: String, distance: Int) {
        #expect(Nearness.distance(first, second) == distance)
        #expect(Nearness.distance(second, first) == distance)
    }

    @Test("no word is near to nothing")
    func nothingNear() {
        #expect(Nearness.nearest("xyzzy", in: ["cachestat", "memleak"]) == nil)
        #expect(Nearness.nearest("", in: ["cachestat"]) == nil)
        #expect(Nearness.nearest("x", in: []) == nil)
    }
}

/// This process's name, as /proc has it.
private enum ProcessName {
    static var own: String? {
        let name = CommandLine.arguments.first?.split(separator: "/").last.map(String.init) ?? ""
        return name.isEmpty || Double(name) != nil ? nil : name
    }
}
