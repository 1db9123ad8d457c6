// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Reports
internal import SystemLayer

/// What becomes of processes: forks, execs and ends by records, a command's steps by ptrace.
extension MemLeakSource {
    mutating func takeIn(_ session: inout Session) throws {
        for event in try inbox.take() {
            switch event {
            case .mapping(let call): reporter.apply(call)
            case .traced(let call): call.print(&session)
            case .process(let change): try take(change, session)
            }
        }
    }

    private mutating func take(_ change: ProcessChange, _ session: borrowing Session) throws {
        try traced.take(change)
        switch change {
        case .execed(let pid, let comm, let time, _): try execed(pid, comm, time, session)
        case .exited(let pid, let time): try exited(pid, time)
        case .forked, .unmapped: break
        }
    }

    private mutating func execed(
        _ pid: UInt32, _ comm: String, _ time: UInt64, _ session: borrowing Session
    ) throws {
        if traced.table.isNarrow(pid) { say(NarrowProgram.words(pid)) }
        try reporter.drop(pid, until: time, &traced.table)
        // the program and its loader are mapped by now: a static one, or musl's, is hooked at once
        try look(at: pid, session)
        // it may end before its libraries are looked at
        traced.names.load(pid)
        if case .processes(let pids) = plan.target, pids.contains(pid) {
            say("process \(pid) (\(Printable.text(comm))) has called exec: what it had allocated is gone")
        }
    }

    private mutating func exited(_ pid: UInt32, _ time: UInt64) throws {
        switch plan.target {
        case .cgroup:
            traced.table.exited(pid, time, isReported: false)
            // What a process of a long-lived group did not free is no leak of the group's.
            try reporter.drop(pid, until: time, &traced.table)
        case .processes(let pids): traced.table.exited(pid, time, isReported: !pids.contains(pid))
        case .command: traced.table.exited(pid, time, isReported: pid != traced.tracee?.pid)
        }
    }

    /// Takes in what the command did, or whom a pidfd says to have ended.
    mutating func childChanged(_ session: inout Session) throws {
        guard let tracee = traced.tracee else { return traced.table.removeEnded() }
        while exitStatus == nil, let change = try tracee.next({ try look(at: tracee, session) }) {
            switch change {
            case .loaded(let isFirst):
                try printNews(&session)
                if isFirst && attacher.hooked.isEmpty {
                    say("no allocator found in \(plan.target.text): nothing is traced")
                } else if isFirst {
                    sayIfPrefixIsUnknown()
                }
            case .exiting:
                // an exec in the ring comes before what it mapped is read, for it forgets the names
                try takeIn(&session)
                traced.names.load(tracee.pid)
                tracee.go()
            case .exited(let status):
                try takeIn(&session)
                try report(&session, atExit: true)
                exitStatus = status
            }
        }
    }

    /// Looks at what the command has mapped while its loader runs.
    ///
    /// - Throws: `Failure` where it is a program of 32 bits from the start.
    private mutating func look(at tracee: Tracee, _ session: borrowing Session) throws {
        let isNarrow = ProcessFiles(tracee.pid).is32Bit
        if isNarrow && !tracee.hasLoaded { throw NarrowProgram.refusal(tracee.pid) }
        traced.table.set(tracee.pid, isNarrow: isNarrow)
        try look(at: tracee.pid, session)
    }

    mutating func ended(_ session: inout Session) throws -> Bool {
        if exitStatus != nil { return true }
        guard traced.haveEnded else { return false }
        try report(&session, atExit: true)
        say("\(plan.target.text) has ended")
        return true
    }
}

extension MemLeakCall {
    /// Prints a call as it comes (`-t`).
    func print(_ session: inout Session) {
        if session.options.json { session.output.print(json) } else { session.output.print(text) }
    }
}
