// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import Reports
internal import Unwind

/// memleak of processes: attaches as they map allocators, keeps up with what they become, reports what is outstanding.
struct MemLeakSource: ReportSource, ~Copyable {
    // Destroyed in this order: probes go before their programs.
    private var attacher: AllocatorAttacher
    private var ring: RingBuffer
    private let plan: MemLeakPlan
    private var processes: ProcessTable
    private var reporter: MemLeakReporter
    private var unwinder: UnwindUploader?
    private let names: StackNames
    private var progress: ProgressMeter
    private var fullMap = FullMapNotice()
    /// What was there before the start.
    private let found: [FoundAllocators]
    /// The command that is traced.
    private let tracee: Tracee?
    /// The command's, once it is gone and reported: 128 and the signal's number for a signal.
    private(set) var exitStatus: Int32?

    init(_ plan: MemLeakPlan, _ found: [FoundAllocators], _ session: borrowing Session) throws {
        // every field is assigned behind the last throw
        let names = StackNames(lines: plan.lines)
        let processes = try ProcessTable(session.probes.object)
        let reporter = try MemLeakReporter(plan, names, session.probes.object)
        let unwinder = try UnwindUploader(
            session.probes.object, plan.stack, cache: Environment.unwindCache, note: note)
        var tracee: Tracee?
        if case .command(let words) = plan.target { tracee = try Tracee(words) }
        try plan.fillSampleGaps(session.probes.object)
        ring = try session.probes.object.ringBuffer("events")
        attacher = AllocatorAttacher(plan, session)
        progress = ProgressMeter(isWanted: !plan.settings.trace && !session.options.json)
        self.plan = plan
        self.processes = processes
        self.reporter = reporter
        self.unwinder = unwinder
        self.names = names
        self.found = found
        self.tracee = tracee
    }

    // MARK: the start

    mutating func begin(_ session: inout Session, _ events: borrowing EventLoop) throws -> Bool {
        try events.watchRecords(ring.descriptor)
        if let tracee { return try begin(tracee, &session) }
        switch plan.target {
        case .command: break
        case .processes:
            for process in found {
                try processes.choose(process.pid)
                try unwinder?.load(process.pid)
                try attacher.attach(process, session)
            }
            try processes.watch(events)
        case .cgroup(let cgroup):
            for pid in cgroup.processes() {
                processes.add(pid)
                try look(at: pid, session)
            }
        }
        // who waits for the head may end the process at once
        for pid in processes.living { names.hold(pid) }
        let isRead = try session.begin(MemLeakText.attaching(to: plan.targetText))
        try printNews(&session)
        if Environment.recordsNothing { say("SWIFTMEM_EMPTY is set: nothing is recorded") }
        if session.options.verbose, let unwinder { note(unwinder.summary) }
        for pid in processes.living { names.load(pid) }
        return isRead
    }

    private mutating func begin(_ tracee: Tracee, _ session: inout Session) throws -> Bool {
        let pid = tracee.pid
        try processes.choose(pid)
        if !session.options.json {
            session.output.print("Executing '\(plan.targetText)' and tracing the resulting process.")
        }
        let isRead = try session.begin(MemLeakText.attaching(to: "pid \(pid)"))
        try tracee.start { try look(at: pid, session) }
        try printNews(&session)
        if attacher.hooked.isEmpty { say("no allocator found in \(plan.targetText): nothing is traced") }
        // it may have ended before its libraries were all mapped
        try childChanged(&session)
        return isRead
    }

    // MARK: attaching

    /// Gives the programs what a process has mapped, to unwind its stacks by, and attaches to new allocators.
    private mutating func look(at pid: UInt32, _ session: borrowing Session) throws {
        try unwinder?.load(pid)
        try attacher.look(at: pid, session)
    }

    /// Prints the files that were hooked since the last time.
    private mutating func printNews(_ session: inout Session) throws {
        guard attacher.hasNews else { return }
        progress.clear()
        attacher.printNews(&session)
        _ = try session.output.flush()
    }

    /// One line on standard error, the progress line out of its way.
    private mutating func say(_ text: String) {
        progress.clear()
        note(text)
    }

    // MARK: what programs send

    mutating func takeIn(_ session: inout Session) throws {
        var events: [MemLeakEvent] = []
        try ring.consume { span in
            if let event = MemLeakEvent(span) { events.append(event) }
        }
        for event in events {
            switch event {
            case .mapping(let call): reporter.apply(call)
            case .traced(let call): call.print(&session)
            case .forked(let pid, let parent):
                processes.add(pid)
                names.forked(pid, by: parent)
                try unwinder?.load(pid)
            case .unmapped(let pid): try unwinder?.asked(pid)
            case .execed(let pid, let comm, let time): try execed(pid, comm, time, session)
            case .exited(let pid, let time): try exited(pid, time)
            }
        }
    }

    private mutating func execed(
        _ pid: UInt32, _ comm: String, _ time: UInt64, _ session: borrowing Session
    ) throws {
        processes.execed(pid)
        try reporter.drop(pid, until: time, &processes)
        names.execed(pid)
        try unwinder?.execed(pid)
        // the program and its loader are mapped by now: a static one, or musl's, is hooked at once
        try look(at: pid, session)
        if case .processes(let pids) = plan.target, pids.contains(pid) {
            say("process \(pid) (\(Printable.text(comm))) has called exec: what it had allocated is gone")
        }
    }

    private mutating func exited(_ pid: UInt32, _ time: UInt64) throws {
        try unwinder?.forget(pid)
        switch plan.target {
        case .cgroup:
            processes.exited(pid, time, isReported: false)
            // What a process of a long-lived group did not free is no leak of the group's.
            try reporter.drop(pid, until: time, &processes)
        case .processes(let pids): processes.exited(pid, time, isReported: !pids.contains(pid))
        case .command: processes.exited(pid, time, isReported: pid != tracee?.pid)
        }
    }

    /// Takes in what the command did, or whom a pidfd says to have ended.
    mutating func childChanged(_ session: inout Session) throws {
        guard let tracee else { return processes.removeEnded() }
        let pid = tracee.pid
        while exitStatus == nil, let change = try tracee.next({ try look(at: pid, session) }) {
            switch change {
            case .loaded: try printNews(&session)
            case .exiting:
                // an exec is told before what was mapped by it is read: it forgets the names
                try takeIn(&session)
                names.load(pid)
                tracee.go()
            case .exited(let status):
                try takeIn(&session)
                try report(&session, atExit: true)
                exitStatus = status
            }
        }
    }

    mutating func ended(_ session: inout Session) throws -> Bool {
        if exitStatus != nil { return true }
        guard case .processes = plan.target, processes.living.isEmpty else { return false }
        try report(&session, atExit: true)
        say("\(plan.targetText) has ended")
        return true
    }

    // MARK: between reports

    var alarmDelay: Double? {
        var delays: [Double] = []
        if processes.isSettling { delays.append(0.02) }
        if let unwinder, unwinder.hasAskers { delays.append(unwinder.delay) }
        if progress.isOn { delays.append(ProgressLine.interval) }
        return delays.min()
    }

    mutating func alarm(_ session: inout Session) throws {
        try unwinder?.rearm()
        for pid in processes.takeSettling() {
            try look(at: pid, session)
            names.load(pid)
        }
        try printNews(&session)
        let now = monotonicNow()
        if progress.isDue(now) { try progress.show(now, &reporter, &processes, session) }
    }

    // MARK: reports

    mutating func tick(_ session: inout Session, isLast: Bool) throws {
        // libraries opened meanwhile may bring an allocator
        let turn = processes.takeTurn(64)
        for pid in turn { try look(at: pid, session) }
        if plan.settings.trace && !isLast {
            if let words = fullMap.words(try session.losses()) { say(words) }
        } else {
            try report(&session)
        }
        for pid in turn.prefix(16) { names.load(pid) }
    }

    mutating func report(_ session: inout Session) throws { try report(&session, atExit: false) }

    private mutating func report(_ session: inout Session, atExit: Bool) throws {
        progress.clear()
        let losses = try session.losses()
        try reporter.report(atExit: atExit, losses: losses, &processes, &session)
        if let words = fullMap.words(losses) { note(words) }
    }
}

extension MemLeakCall {
    /// Prints a call as it comes (`-t`).
    func print(_ session: inout Session) {
        if session.options.json { session.output.print(json) } else { session.output.print(text) }
    }
}
