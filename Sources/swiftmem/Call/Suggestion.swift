// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Reports

/// What is said to who called the command in a way that it does not know: the nearest way that it does.
enum Suggestion {
    /// Words of who looks for something, and the subcommand that has it.
    private static let topics: [(words: [String], subcommand: String)] = [
        (["leak", "leaks", "heap", "malloc", "slab", "slabtop", "valgrind", "heaptrack"], "memleak"),
        (["oom", "killer", "killed", "oomd"], "oomkill"),
        (["cache", "pagecache", "hitrate", "pcstat"], "cachestat"),
        (["top", "filetop", "files"], "cachetop"),
        (["swap", "swaps", "swapon", "zram"], "swapin"),
        (["shm", "ipcs", "ipc", "sharedmem"], "shmsnoop"),
        (["free", "memory", "mem", "smem", "ledger", "vmstat"], "meminfo"),
        (["check", "status", "info", "test", "probe"], "doctor"),
        (["json", "jsonschema"], "schema"),
    ]

    /// Words for what options do, and the names that they may have here.
    private static let synonyms: [(words: [String], options: [String])] = [
        (["flame", "svg", "graph"], ["--flamegraph"]),
        (["collapse", "collapsed", "stackcollapse"], ["--folded"]),
        (["time", "times", "date"], ["--timestamp", "--duration"]),
        (["seconds", "timeout", "for"], ["--duration"]),
        (["limit", "head", "lines", "number", "top"], ["--rows", "--top"]),
        (["process", "procs"], ["--pid"]),
        (["thread"], ["--tid"]),
        (["name", "process-name"], ["--comm", "--name"]),
        (["container", "service", "unit"], ["--cgroup"]),
        (["output", "format"], ["--json"]),
        (["debug", "v"], ["--verbose"]),
        (["cmd", "exec", "run"], ["--command"]),
        (["all", "details", "full", "long"], ["--all", "--wide"]),
    ]

    private static var subcommands: [String] { guidedCommands.map { $0.name } }

    /// A line about a subcommand that there is not.
    static func noSubcommand(_ word: String) -> String {
        let lower = word.lowercased()
        let known = subcommands
        let meant = Nearness.nearest(word, in: known) ?? topics.first { $0.words.contains(lower) }?.subcommand
        let say = "no tool is called \(Printable.text(word))"
        guard let meant, known.contains(meant) else { return say + "; there are " + known.joined(separator: ", ") }
        return say + "; did you mean \(meant)?"
    }

    /// What to do about an option that a command has not.
    static func noOption(_ option: String, of command: any Guided.Type) -> String {
        let own = HelpText(command).options.flatMap(\.names).filter { $0.hasPrefix("--") }
        let word = String(option.drop { $0 == "-" })
        let similar = synonyms.filter { $0.words.contains(word) }.flatMap(\.options).first { own.contains($0) }
        if ["interval", "delay", "count", "iterations", "i", "n"].contains(word), HelpText(command).takesInterval {
            return "seconds and a count are words of their own: swiftmem \(command.name) 5 3"
        }
        if let meant = similar ?? Nearness.nearest(option, in: own) { return "did you mean \(meant)?" }
        let others = guidedCommands.filter { $0.name != command.name }
            .filter { HelpText($0).option(option) != nil }.map { $0.name }
        if others.isEmpty { return "swiftmem \(command.name) --help lists those that it has" }
        return "\(others.joined(separator: ", ")) \(others.count == 1 ? "has" : "have") it"
    }
}
