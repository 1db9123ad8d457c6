// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import LibBPF
internal import Probes
internal import Reports
internal import Symbols
internal import SystemLayer
internal import Unwind

/// growth: chooses processes, keeps up with what they become, reports what stacks made resident.
struct GrowthSource: ReportSource, ~Copyable {
    let plan: GrowthPlan
    let inbox: EventInbox<GrowthEvent>
    var traced: TracedProcesses
    var reader: GrowthReader
    let text: GrowthText
    let seesFaults: Bool
    let began: UInt64
    /// When all processes were seen to have ended; nil: some live.
    private var endingSince: UInt64?
    /// The command's, once it is gone and reported: 128 and the signal's number for a signal.
    var exitStatus: Int32?

    init(_ plan: GrowthPlan, _ session: borrowing Session) throws {
        // every field is assigned behind the last throw
        let reader = try GrowthReader(session.probes.object)
        let traced = try TracedProcesses(
            plan.target, stack: plan.stack, lines: plan.lines, reading: plan.reading,
            output: session.options.json ? STDERR_FILENO : STDOUT_FILENO, session.probes.object)
        let inbox = EventInbox(try session.probes.object.ringBuffer("events")) { GrowthEvent($0) }
        plan.reading.meanwhile = { inbox.fetch() }
        self.inbox = inbox
        self.plan = plan
        self.traced = traced
        self.reader = reader
        text = GrowthText(top: plan.top, showsPIDs: plan.target.hasSeveralProcesses(follow: plan.follow))
        seesFaults = session.probes.resolution[GrowthProbes.Faults.self] != nil
        began = monotonicNow()
    }

    // MARK: the start

    mutating func begin(_ session: inout Session, _ events: borrowing EventLoop) throws -> Bool {
        try events.watchRecords(inbox.descriptor)
        var target = plan.target.text
        switch plan.target {
        case .processes(let pids):
            var watched: [(pid: UInt32, descriptor: ProcessDescriptor)] = []
            for pid in pids { watched.append((pid, try ProcessDescriptor(pid))) }
            for pid in pids { try choose(pid) }
            try traced.table.watch(watched, events)
        case .cgroup(let cgroup):
            for pid in cgroup.processes() { try choose(pid) }
        case .command:
            guard let tracee = traced.tracee else { break }
            try traced.table.choose(tracee.pid)
            target = "pid \(tracee.pid)"
            if !session.options.json {
                session.output.print("Executing '\(plan.target.text)' and tracing the resulting process.")
            }
        }
        try run("space_start_iter", session)
        for pid in traced.table.living where traced.tracee == nil { traced.names.hold(pid) }
        let isRead = try session.begin(GrowthText.attaching(to: target))
        if let tracee = traced.tracee {
            tracee.start()
        } else {
            for pid in traced.table.living.sorted().prefix(64) { traced.names.load(pid) }
        }
        return isRead
    }

    private mutating func choose(_ pid: UInt32) throws {
        try traced.table.choose(pid)
        try look(at: pid)
        if ProcessFiles(pid).is32Bit { noteNarrow(pid) }
    }

    private func run(_ iterator: String, _ session: borrowing Session) throws(BPFError) {
        try session.probes.object.program(iterator).runIterator()
    }

    /// Gives the programs what a process has mapped, to unwind its stacks by.
    private mutating func look(at pid: UInt32) throws { try traced.unwinder?.load(pid) }

    // MARK: what becomes of processes

    mutating func takeIn(_ session: inout Session) throws {
        for event in try inbox.take() {
            switch event {
            case .process(let change): try take(change)
            case .moved(let move): try reader.take(move)
            }
        }
    }

    private mutating func take(_ change: ProcessChange) throws {
        try traced.take(change)
        switch change {
        case .execed(let pid, _, _, let isNarrow):
            if isNarrow { noteNarrow(pid) }
            traced.names.load(pid)
        case .exited(let pid, let time): traced.table.exited(pid, time, isReported: true)
        case .forked, .unmapped: break
        }
    }

    private func noteNarrow(_ pid: UInt32) { note("process \(pid) runs a 32-bit program: its stacks are not walked") }

    mutating func childChanged(_ session: inout Session) throws {
        guard let tracee = traced.tracee else { return traced.table.removeEnded() }
        while exitStatus == nil, let change = try tracee.next({ try look(at: tracee.pid) }) {
            switch change {
            case .loaded: traced.names.load(tracee.pid)
            case .exiting:
                try takeIn(&session)
                traced.names.load(tracee.pid)
                // its memory is there still
                try report(&session)
                tracee.go()
            case .exited(let status): exitStatus = status
            }
        }
    }

    mutating func ended(_ session: inout Session) throws -> Bool {
        if exitStatus != nil { return true }
        guard traced.haveEnded else { return false }
        try takeIn(&session)
        // since Linux 6.16 the end of a process is seen before its memory is gone; another may share that
        let now = monotonicNow()
        let since = endingSince ?? now
        endingSince = since
        if now - since < 2_000_000_000, try !reader.readSpaces().living.isEmpty { return false }
        try report(&session)
        note("\(plan.target.text) has ended")
        return true
    }

    var alarmDelay: Double? {
        [traced.lookDelay, endingSince == nil ? nil : 0.02].compactMap(\.self).min()
    }

    mutating func alarm(_ session: inout Session) throws {
        try traced.unwinder?.rearm()
        for pid in traced.table.takeSettling() {
            try look(at: pid)
            traced.names.load(pid)
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
                    seesFaults: seesFaults, frames: captured.map { traced.names.frames($0, pid: pid, isExact: true) },
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
        _ = traced.table.takeEnded()
    }
}
