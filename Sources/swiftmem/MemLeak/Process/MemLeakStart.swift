// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Reports
internal import Symbols
internal import SystemLayer
internal import Unwind

/// The start: what is there is attached to, the command is begun, the head is printed.
extension MemLeakSource {
    mutating func begin(_ session: inout Session, _ events: borrowing EventLoop) throws -> Bool {
        try events.watchRecords(inbox.descriptor)
        if let tracee = traced.tracee { return try begin(tracee, &session) }
        switch plan.target {
        case .command: break
        case .processes:
            for process in found {
                try traced.table.choose(process.pid)
                try traced.unwinder?.load(process.pid)
                try attacher.attach(process, session)
                if let sampler = plan.samplers?.found[process.pid] { try reporter.add(sampler, of: process.pid) }
            }
            try leaveOutEnded()
            try traced.table.watch(found.map { ($0.pid, $0.process) }, events)
        case .cgroup(let cgroup):
            let members = cgroup.processes()
            var progress = LookProgress(members.count, cgroup: cgroup)
            for pid in members {
                // Ctrl-C is not to wait for the files of a machine
                if FileReading.isInterrupted { break }
                progress.next()
                traced.table.add(pid)
                traced.table.set(pid, isNarrow: ProcessFiles(pid).is32Bit)
                if traced.table.isNarrow(pid) { say(NarrowProgram.words(pid)) }
                try look(at: pid, session)
            }
            progress.end()
            sayIfPrefixIsUnknown()
        }
        // who waits for the head may end the process at once
        for pid in traced.table.living { traced.names.hold(pid) }
        let begin = session.leakBegin([MemLeakText.attaching(to: plan.target.text)])
        reporter.reports.began(begin)
        let isRead = try session.begin(begin)
        try printNews(&session)
        if Environment.recordsNothing { say("SWIFTMEM_EMPTY is set: nothing is recorded") }
        if session.options.verbose, let unwinder = traced.unwinder { note(unwinder.summary) }
        if session.options.verbose, let parsers = plan.reading.parsers { note(parsers.summary) }
        for pid in traced.table.living { traced.names.load(pid) }
        return isRead
    }

    private mutating func begin(_ tracee: Tracee, _ session: inout Session) throws -> Bool {
        let pid = tracee.pid
        try traced.table.choose(pid)
        let begin = session.leakBegin([
            "Executing '\(plan.target.text)' and tracing the resulting process.",
            MemLeakText.attaching(to: "pid \(pid)"),
        ])
        reporter.reports.began(begin)
        let isRead = try session.begin(begin)
        tracee.start()
        return isRead
    }

    /// Takes out whoever ended while it was looked at: what its number may have now is not what was asked for.
    ///
    /// - Throws: `Failure` where nobody is left.
    private mutating func leaveOutEnded() throws {
        for process in found where process.process.hasEnded {
            try traced.table.leaveOut(process.pid, until: monotonicNow())
            guard !traced.table.living.isEmpty else { throw Failure.badValue("process \(process.pid) has ended") }
            say("process \(process.pid) has ended")
        }
    }

    /// A prefix that no function has would leave nothing but mappings.
    mutating func sayIfPrefixIsUnknown() {
        guard let prefix = plan.search.prefix, !attacher.hooked.contains(where: \.hasHeap) else { return }
        say("no \(Printable.text(prefix))malloc found in \(plan.target.text) (--symbols-prefix): no heap is traced")
    }
}
