// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import LibBPF
internal import Probes
internal import Reports
internal import Symbols
internal import Unwind

/// memleak of processes: attaches as they map allocators, keeps up with what they become, reports what is outstanding.
struct MemLeakSource: ReportSource, ~Copyable {
    // Destroyed in this order: probes go before their programs.
    var attacher: AllocatorAttacher
    let inbox: EventInbox<MemLeakEvent>
    let plan: MemLeakPlan
    var traced: TracedProcesses
    var reporter: MemLeakReporter
    var progress: ProgressMeter
    private var fullMap = FullMapNotice()
    /// What was there before the start.
    let found: [FoundAllocators]
    /// The command's, once it is gone and reported: 128 and the signal's number for a signal.
    var exitStatus: Int32?

    /// - Parameter commandOutput: where a command's standard output goes; nil: where the reports go.
    init(
        _ plan: MemLeakPlan, _ found: [FoundAllocators], _ files: LeakFiles, _ recorder: LeakRecorder?,
        _ commandOutput: Int32?, _ session: borrowing Session
    ) throws {
        // every field is assigned behind the last throw
        // records are alone on standard output: what reads them can't tell a command's lines from them
        let traced = try TracedProcesses(
            plan.target, stack: plan.stack, lines: plan.lines, reading: plan.reading,
            output: commandOutput ?? (session.options.json ? STDERR_FILENO : STDOUT_FILENO), session.probes.object)
        let reporter = try MemLeakReporter(plan, traced.names, files, recorder, session.probes.object)
        try plan.fillSampleGaps(session.probes.object)
        let inbox = EventInbox(try session.probes.object.ringBuffer("events")) { MemLeakEvent($0) }
        plan.reading.meanwhile = { inbox.fetch() }
        self.inbox = inbox
        attacher = AllocatorAttacher(plan, session)
        progress = ProgressMeter(isWanted: !plan.settings.trace && !session.options.json)
        self.plan = plan
        self.traced = traced
        self.reporter = reporter
        self.found = found
    }

    /// Gives the programs what a process has mapped, to unwind its stacks by, and attaches to new allocators.
    mutating func look(at pid: UInt32, _ session: borrowing Session) throws {
        guard !traced.table.isNarrow(pid) else { return }
        try traced.unwinder?.load(pid)
        try attacher.look(at: pid, session)
    }

    /// Prints the files that were hooked since the last time.
    mutating func printNews(_ session: inout Session) throws {
        guard attacher.hasNews else { return }
        progress.clear()
        for file in attacher.takeNews() {
            reporter.reports.hooked(file)
            session.output.print(file, json: session.options.json)
        }
        _ = try session.output.flush()
    }

    /// One line on standard error, the progress line out of its way.
    mutating func say(_ text: String) {
        progress.clear()
        reporter.reports.noted(text)
        note(text)
    }

    // MARK: between reports

    var alarmDelay: Double? {
        var delays: [Double] = []
        if let delay = traced.lookDelay { delays.append(delay) }
        if progress.isOn { delays.append(ProgressLine.interval) }
        delays.append(reporter.lookDelay)
        return delays.min()
    }

    mutating func alarm(_ session: inout Session) throws {
        try traced.unwinder?.rearm()
        for pid in traced.table.takeSettling() {
            try look(at: pid, session)
            traced.names.load(pid)
        }
        try printNews(&session)
        try reporter.lookIfDue(&traced.table)
        let now = monotonicNow()
        if progress.isDue(now) { try progress.show(now, &reporter, &traced.table, session) }
    }

    // MARK: reports

    mutating func tick(_ session: inout Session, isLast: Bool) throws {
        // libraries opened meanwhile may bring an allocator
        let turn = traced.table.takeTurn(64)
        for pid in turn { try look(at: pid, session) }
        try printNews(&session)
        if plan.settings.trace && !isLast {
            if let words = fullMap.words(try session.losses()) { say(words) }
        } else {
            try report(&session)
        }
        for pid in turn.prefix(16) { traced.names.load(pid) }
    }

    mutating func setBaseline(_ session: inout Session) throws {
        progress.clear()
        try reporter.setBaseline(&traced.table)
    }

    mutating func report(_ session: inout Session) throws { try report(&session, atExit: false) }

    mutating func report(_ session: inout Session, atExit: Bool) throws {
        progress.clear()
        let losses = try session.losses()
        try reporter.report(atExit: atExit, losses: losses, &traced.table, &session)
        if let words = fullMap.words(losses) { note(words) }
    }

    mutating func close(_ session: inout Session, isLast: Bool) throws {
        if isLast { try reporter.finish(&session) }
    }
}
