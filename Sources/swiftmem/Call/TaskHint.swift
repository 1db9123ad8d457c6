// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Reports
internal import SystemLayer

/// How to name a process or a command to a tool, for who gave its bare name.
struct TaskHint {
    private let word: String
    private let options: HelpText

    init(_ word: String, options: HelpText) {
        self.word = word
        self.options = options
    }

    /// A call that does what was meant, if this machine and the tool's options allow one.
    func call(of tool: String) -> String? {
        let name = Printable.text(String(word.split(separator: "/").last ?? ""))
        let pids = Self.processes(named: name)
        if options.option("--pid") != nil, let first = pids.first {
            let others = pids.count > 1 ? " (the first of \(pids.count))" : ""
            return "a process is named by its id: swiftmem \(tool) -p \(first)\(others)"
        }
        if options.option("--command") != nil, Self.isProgram(word) {
            return "a command is run by -c: swiftmem \(tool) -c \(Printable.text(word))"
        }
        if options.option("--comm") != nil { return "tasks of that name: swiftmem \(tool) --comm \(name)" }
        if options.option("--pid") != nil { return "a process is named by its id: swiftmem \(tool) -p PID" }
        return nil
    }

    /// The id of a process of that name, where its id is wanted.
    func id(of tool: String) -> String {
        let pids = Self.processes(named: word)
        guard let first = pids.first else { return "no process is called \(Printable.text(word)); pgrep -l tells ids" }
        return "swiftmem \(tool) -p \(first)" + (pids.count > 1 ? " (the first of \(pids.count))" : "")
    }

    /// Their ids, oldest first.
    private static func processes(named name: String) -> [UInt32] {
        // as the kernel cuts it
        let comm = String(name.prefix(15))
        return ProcFS.processIDs().filter { $0 != UInt32(getpid()) && ProcFS.text("\($0)/comm").dropLast() == comm }
    }

    /// Would a shell run it?
    private static func isProgram(_ word: String) -> Bool {
        if word.contains("/") { return access(word, X_OK) == 0 }
        return Environment.programDirectories.contains { access("\($0)/\(word)", X_OK) == 0 }
    }
}
