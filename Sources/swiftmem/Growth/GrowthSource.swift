// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import LibBPF
internal import Probes
internal import Reports
internal import SystemLayer
internal import Unwind

/// growth: chooses processes, keeps up with what they become, reports what stacks made resident.
struct GrowthSource: ReportSource, ~Copyable {
    let plan: GrowthPlan
    var ring: RingBuffer
    var processes: ProcessTable
    var reader: GrowthReader
    // Spelled out, it has no nil before init: Swift 6.2 takes that for a second value where init throws.
    var unwinder: Optional<UnwindUploader>
    let names: StackNames
    let text: GrowthText
    let seesFaults: Bool
    let began: UInt64
    /// The command that is traced.
    let tracee: Tracee?
    /// When all processes were seen to have ended; nil: some live.
    private var endingSince: UInt64?
    /// The command's, once it is gone and reported: 128 and the signal's number for a signal.
    var exitStatus: Int32?

    init(_ plan: GrowthPlan, _ session: borrowing Session) throws {
        // every field is assigned behind the last throw
        let processes = try ProcessTable(session.probes.object)
        let reader = try GrowthReader(session.probes.object)
        let unwinder = try UnwindUploader(
            session.probes.object, plan.stack, cache: Environment.unwindCache, reading: plan.reading, note: note)
        var tracee: Tracee?
        if case .command(let words) = plan.target {
            tracee = try Tracee(words, output: session.options.json ? STDERR_FILENO : STDOUT_FILENO)
        }
        ring = try session.probes.object.ringBuffer("events")
        self.plan = plan
        self.processes = processes
        self.reader = reader
        self.unwinder = unwinder
        names = StackNames(lines: plan.lines, reading: plan.reading)
        text = GrowthText(top: plan.top, showsPIDs: plan.hasSeveralProcesses)
        seesFaults = session.probes.resolution[GrowthProbes.Faults.self] != nil
        began = monotonicNow()
        self.tracee = tracee
    }

    // MARK: the start

    mutating func begin(_ session: inout Session, _ events: borrowing EventLoop) throws -> Bool {
        try events.watchRecords(ring.descriptor)
        var target = plan.targetText
        switch plan.target {
        case .processes(let pids):
            var watched: [(pid: UInt32, descriptor: ProcessDescriptor)] = []
            for pid in pids { watched.append((pid, try ProcessDescriptor(pid))) }
            for pid in pids { try choose(pid) }
            try processes.watch(watched, events)
        case .cgroup(let cgroup):
            for pid in cgroup.processes() { try choose(pid) }
        case .command:
            guard let tracee else { break }
            try processes.choose(tracee.pid)
            target = "pid \(tracee.pid)"
            if !session.options.json {
                session.output.print("Executing '\(plan.targetText)' and tracing the resulting process.")
            }
        }
        try run("space_start_iter", session)
        for pid in processes.living where tracee == nil { names.hold(pid) }
        let isRead = try session.begin(GrowthText.attaching(to: target))
        if let tracee {
            tracee.start()
        } else {
            for pid in processes.living.sorted().prefix(64) { names.load(pid) }
        }
        return isRead
    }

    private mutating func choose(_ pid: UInt32) throws {
        try processes.choose(pid)
        try look(at: pid)
        if ProcessFiles(pid).is32Bit { note("process \(pid) runs a 32-bit program: its stacks are not walked") }
    }

    private func run(_ iterator: String, _ session: borrowing Session) throws(BPFError) {
        try session.probes.object.program(iterator).runIterator()
    }

    /// Gives the programs what a process has mapped, to unwind its stacks by.
    private mutating func look(at pid: UInt32) throws { try unwinder?.load(pid) }

    // MARK: what becomes of processes

    mutating func takeIn(_ session: inout Session) throws {
        var events: [GrowthEvent] = []
        try ring.consume { span in
            if let event = GrowthEvent(span) { events.append(event) }
        }
        for event in events {
            switch event {
            case .forked(let pid, let parent):
                processes.add(pid)
                names.forked(pid, by: parent)
                try look(at: pid)
            case .execed(let pid, _, let isNarrow):
                processes.execed(pid)
                if isNarrow { note("process \(pid) runs a 32-bit program: its stacks are not walked") }
                names.execed(pid)
                try unwinder?.execed(pid)
                names.load(pid)
            case .moved(let move): try reader.take(move)
            case .exited(let pid, let time):
                try unwinder?.forget(pid)
                processes.exited(pid, time, isReported: true)
            case .unmapped(let pid):
                try unwinder?.asked(pid)
                // a plugin may be gone before the next report
                names.load(pid)
            }
        }
    }

    mutating func childChanged(_ session: inout Session) throws {
        guard let tracee else { return processes.removeEnded() }
        while exitStatus == nil, let change = try tracee.next({ try look(at: tracee.pid) }) {
            switch change {
            case .loaded: names.load(tracee.pid)
            case .exiting:
                try takeIn(&session)
                names.load(tracee.pid)
                // its memory is there still
                try report(&session)
                tracee.go()
            case .exited(let status): exitStatus = status
            }
        }
    }

    mutating func ended(_ session: inout Session) throws -> Bool {
        if exitStatus != nil { return true }
        guard case .processes = plan.target, processes.living.isEmpty else { return false }
        try takeIn(&session)
        // since Linux 6.16 the end of a process is seen before its memory is gone; another may share that
        let now = monotonicNow()
        let since = endingSince ?? now
        endingSince = since
        if now - since < 2_000_000_000, try !reader.readSpaces().living.isEmpty { return false }
        try report(&session)
        note("\(plan.targetText) has ended")
        return true
    }

    var alarmDelay: Double? {
        var delays: [Double] = []
        if processes.isSettling || endingSince != nil { delays.append(0.02) }
        if let unwinder, unwinder.hasAskers { delays.append(unwinder.delay) }
        return delays.min()
    }

    mutating func alarm(_ session: inout Session) throws {
        try unwinder?.rearm()
        for pid in processes.takeSettling() {
            try look(at: pid)
            names.load(pid)
        }
    }

    // MARK: reports

    mutating func report(_ session: inout Session) throws {
        try run("space_sum_iter", session)
        let spaces = try reader.readSpaces()
        var residency = try reader.look(spaces.living)
        let sites = try reader.readSites()
        for (space, sites) in Dictionary(grouping: sites, by: \.space) {
            if let lost = spaces.lost[space] { residency.compare(sites, lost: lost) }
        }
        var stacks: [GrowthStack] = []
        for site in sites {
            let captured = try reader.stack(site.stack)
            let pid = site.space.pid
            stacks.append(
                GrowthStack(
                    site, comm: spaces.names[pid], resident: seesFaults ? residency.pages(of: site) : nil,
                    seesFaults: seesFaults, frames: captured.map { names.frames($0, pid: pid, isExact: true) },
                    end: captured?.end))
        }
        try reader.makeRoom()
        stacks = GrowthStack.merged(stacks)
        let report = GrowthReport(
            time: .now, elapsedNanoseconds: monotonicNow() &- began, stacks: Array(stacks.prefix(plan.top)),
            stackCount: stacks.count, sums: spaces.sums, pageBytes: UInt64(pageBytes), losses: try session.losses())
        if session.options.json {
            for line in GrowthJSON.lines(report) { session.output.print(line) }
        } else {
            for line in text.lines(report) { session.output.print(line) }
        }
        _ = processes.takeEnded()
    }
}
