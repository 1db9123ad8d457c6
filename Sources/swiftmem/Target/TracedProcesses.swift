// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import LibBPF
internal import Reports
internal import Symbols
internal import Unwind

/// The processes of a run from its start to their ends: who they are, what their functions are called, how their stacks
/// are walked, and the command that is traced.
struct TracedProcesses: ~Copyable {
    let target: ProcessTarget
    var table: ProcessTable
    let names: StackNames
    // Spelled out, it has no nil before init: Swift 6.2 takes that for a second value where init throws.
    var unwinder: Optional<UnwindUploader>
    /// The command that is traced.
    let tracee: Tracee?

    /// Starts the command; nothing of it runs yet.
    ///
    /// - Parameter output: the descriptor that is the command's standard output.
    init(
        _ target: ProcessTarget, stack: StackMode, lines: Bool, reading: FileReading, output: Int32,
        _ object: borrowing LoadedObject
    ) throws {
        // every field is assigned behind the last throw
        let table = try ProcessTable(object)
        let unwinder = try UnwindUploader(
            object, stack, cache: Environment.unwindCache, reading: reading, note: note)
        var tracee: Tracee?
        if case .command(let words) = target { tracee = try Tracee(words, output: output) }
        self.target = target
        self.table = table
        names = StackNames(lines: lines, reading: reading)
        self.unwinder = unwinder
        self.tracee = tracee
    }

    /// Takes in what a program has told. What a process maps after exec is the caller's to look at, and its end the
    /// caller's to enter in the table.
    ///
    /// - Throws: `BPFError` where the unwinder's maps can't be changed.
    mutating func take(_ change: ProcessChange) throws {
        switch change {
        case .forked(let pid, let parent):
            table.add(pid)
            names.forked(pid, by: parent)
            try unwinder?.load(pid)
        case .execed(let pid, _, _, let isNarrow):
            table.set(pid, isNarrow: isNarrow)
            table.execed(pid)
            names.execed(pid)
            try unwinder?.execed(pid)
        case .exited(let pid, _): try unwinder?.forget(pid)
        case .unmapped(let pid):
            try unwinder?.asked(pid)
            // a plugin may be gone before the next report
            names.load(pid)
        }
    }

    /// Has everybody ended whom the user named?
    var haveEnded: Bool {
        guard case .processes = target else { return false }
        return table.living.isEmpty
    }

    /// Seconds until somebody has to be looked at again; nil: nobody has.
    var lookDelay: Double? {
        var delays: [Double] = []
        if table.isSettling { delays.append(0.02) }
        if let unwinder, unwinder.hasAskers { delays.append(unwinder.delay) }
        return delays.min()
    }
}
