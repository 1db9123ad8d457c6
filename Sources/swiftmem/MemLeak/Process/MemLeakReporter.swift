// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Reports
internal import SystemLayer

/// Adds up what is outstanding, and makes a report of it.
struct MemLeakReporter {
    private let plan: MemLeakPlan
    private let names: StackNames
    private let processNames = ProcessNames()
    private(set) var reports: LeakReports
    /// Processes that are gone, and whose sums are still in the kernel: each walk over the map is for many.
    private var withSums: Set<UInt32> = []
    private static let mostWithSums = 1024
    private var reader: OutstandingReader
    private var ledger = MappingLedger(pageSize: UInt64(pageBytes))
    /// What was dropped so far with processes that ended or called exec.
    private var gone = OutstandingSum()
    private var baseline: LeakBaseline
    /// Mappings made since the start, by stack.
    private var mapped: [AllocationSite: UInt64] = [:]

    /// - Throws: `BPFError` where the object has no such maps.
    init(
        _ plan: MemLeakPlan, _ names: StackNames, _ files: LeakFiles, _ recorder: LeakRecorder?,
        _ object: borrowing LoadedObject
    ) throws(BPFError) {
        self.plan = plan
        self.names = names
        reader = try OutstandingReader(object)
        baseline = LeakBaseline(after: plan.settings.baseline)
        reports = LeakReports(
            plan.settings.run(
                mayLeak: true, hasSeveralProcesses: plan.target.hasSeveralProcesses(follow: plan.follow),
                target: plan.target.text),
            plan.settings, files, recorder)
    }

    mutating func apply(_ call: MappingCall) {
        ledger.apply(call)
        guard call.isRecorded else { return }
        if case .unmapped = call.change { return }
        mapped[AllocationSite(pid: call.pid, stack: call.stack), default: 0] += 1
    }

    /// A process's memory is gone: its blocks are dropped when they are read next, mappings and sums now.
    ///
    /// - Throws: `BPFError` where the maps can't be read.
    mutating func drop(_ pid: UInt32, until time: UInt64, _ processes: inout ProcessTable) throws(BPFError) {
        processes.drop(pid, until: time)
        gone.add(ledger.sum(of: pid))
        ledger.forget(pid: pid)
        mapped = mapped.filter { $0.key.pid != pid }
        reports.forget(pid)
        withSums.insert(pid)
        // where sums are all there is, another process of that number must not find them
        if plan.settings.combinedOnly || withSums.count >= Self.mostWithSums { try dropSums() }
    }

    private mutating func dropSums() throws(BPFError) {
        guard !withSums.isEmpty else { return }
        try reader.dropTotals(of: withSums)
        withSums = []
    }

    /// What a process's sampler had recorded before the trace.
    ///
    /// - Throws: `BPFError` where the map is full.
    mutating func add(_ sampler: ProcessSampler, of pid: UInt32) throws(BPFError) {
        _ = try reader.add(sampler, of: pid)
    }

    func counters() throws(BPFError) -> MemLeakCounters { try reader.readCounters() }

    /// What is outstanding now, of any age.
    ///
    /// - Throws: `BPFError` where the maps can't be read.
    mutating func total(_ processes: inout ProcessTable) throws(BPFError) -> OutstandingSum {
        try outstanding(youngest: .max, &processes).total
    }

    /// The run is over.
    ///
    /// - Throws: `Failure` where a file can't be written.
    mutating func finish(_ session: inout Session) throws(Failure) { try reports.finish(&session) }

    // MARK: looks between reports

    /// Seconds to the next look, or to the baseline.
    var lookDelay: Double { min(reports.lookDelay, baseline.delay(at: monotonicNow()) ?? .infinity) }

    /// What is there now is left out from now on.
    ///
    /// - Throws: `BPFError` where the maps can't be read.
    mutating func setBaseline(_ processes: inout ProcessTable) throws(BPFError) {
        guard !plan.settings.combinedOnly else { return note(LeakBaseline.needsAges) }
        let now = monotonicNow()
        let (table, _) = try look(at: now, youngest: .max, keepsBlocks: false, &processes)
        var sum = table.total
        sum.add(table.older)
        baseline.set(at: now, sum)
        reports.setBaseline(at: now, sum)
    }

    /// Takes a look where one is due.
    ///
    /// - Throws: `BPFError` where the maps can't be read.
    mutating func lookIfDue(_ processes: inout ProcessTable) throws(BPFError) {
        let now = monotonicNow()
        if baseline.isDue(now) { return try setBaseline(&processes) }
        guard reports.isLookDue(now) else { return }
        _ = try look(at: now, youngest: plan.settings.youngest(at: now), keepsBlocks: false, &processes)
    }

    private mutating func look(
        at now: UInt64, youngest: UInt64, keepsBlocks: Bool, _ processes: inout ProcessTable
    ) throws(BPFError) -> (table: OutstandingTable, counters: MemLeakCounters) {
        let table = try outstanding(
            youngest: youngest, keepsBlocks: keepsBlocks, grid: reports.grid(at: now), &processes)
        let counters = try counters()
        let made = plan.settings.combinedOnly ? nil : try reader.made().merging(mapped) { $0 + $1 }
        let look = LeakLook(
            time: now, wall: .now, sums: table.sites, made: made,
            unmatched: counters.unmatchedFrees &+ baseline.freed(table.older))
        try Self.take(look, &reports, &reader, names)
        return (table, counters)
    }

    private static func take(
        _ look: LeakLook, _ reports: inout LeakReports, _ reader: inout OutstandingReader, _ names: StackNames
    ) throws(BPFError) {
        try reports.take(look) { (captured) throws(BPFError) in try site(captured, &reader, names) }
    }

    private static func site(
        _ captured: AllocationSite, _ reader: inout OutstandingReader, _ names: StackNames
    ) throws(BPFError) -> LeakSite {
        guard let stack = try reader.stack(captured.stack) else { return LeakSite() }
        return LeakSite(frames: names.frames(stack, pid: captured.pid), end: stack.end)
    }

    // MARK: reports

    /// Prints a report.
    ///
    /// - Parameter atExit: the process is gone: what it had is reported whatever its age.
    mutating func report(
        atExit: Bool, losses: Losses, _ processes: inout ProcessTable, _ session: inout Session
    ) throws(BPFError) {
        let now = monotonicNow()
        let (table, counters) = try look(
            at: now, youngest: atExit ? now : plan.settings.youngest(at: now), keepsBlocks: plan.settings.showsBlocks,
            &processes)
        var report = MemLeakReport(
            time: .now, monotonic: now, total: table.total, blocks: table.blocks, counters: counters, losses: losses,
            sampleRate: plan.settings.sampleRate, sampleBytes: plan.sampleBytes, gone: gone,
            leftOut: FilesLeftOut(plan.reading), younger: table.younger,
            minimumAge: atExit ? 0 : plan.settings.minimumAge)
        report.isSampledInProcess = plan.samplers != nil
        if baseline.isSet { report.baseline = table.older }
        session.incomplete = report.leftOut.lines
        var comms: [UInt32: String] = [:]
        for pid in Set(table.sites.keys.map(\.pid)) { comms[pid] = processNames.name(pid) }
        try Self.print(report, comms, &reports, &reader, names, &session)
        try reader.makeRoom(counters)
        for (pid, time) in processes.takeEnded() {
            try drop(pid, until: time, &processes)
            names.ended(pid)
            processNames.ended(pid)
        }
    }

    private static func print(
        _ report: MemLeakReport, _ comms: [UInt32: String], _ reports: inout LeakReports,
        _ reader: inout OutstandingReader, _ names: StackNames, _ session: inout Session
    ) throws(BPFError) {
        try reports.report(report, names: comms, &session) { (captured) throws(BPFError) in
            try site(captured, &reader, names)
        }
    }

    /// - Parameter youngest: allocations made later are left out.
    private mutating func outstanding(
        youngest: UInt64, keepsBlocks: Bool = false, grid: AgeGrid? = nil, _ processes: inout ProcessTable
    ) throws(BPFError) -> OutstandingTable {
        try dropSums()
        var table = OutstandingTable(
            youngest: youngest, weight: plan.sampleWeight, keepsBlocks: keepsBlocks,
            ended: Set(processes.ended.keys), grid: grid, baseline: baseline.time)
        if plan.settings.combinedOnly {
            try reader.addTotals(to: &table)
            var rest = OutstandingTable(youngest: 0)
            if !processes.dead.isEmpty { gone.add(try reader.addBlocks(to: &rest, dead: processes.dead)) }
        } else {
            gone.add(try reader.addBlocks(to: &table, dead: processes.dead))
        }
        processes.forgetDead()
        table.add(ledger)
        return table
    }
}
