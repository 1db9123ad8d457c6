// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import LibBPF
internal import Reports
internal import SystemLayer

/// Adds up what is outstanding, and makes a report of it.
struct MemLeakReporter {
    private let plan: MemLeakPlan
    private let text: MemLeakText
    private let names: StackNames
    private let processNames = ProcessNames()
    private var watch: LeakWatch
    /// Processes that are gone, and whose sums are still in the kernel: each walk over the map is for many.
    private var withSums: Set<UInt32> = []
    private static let mostWithSums = 1024
    private(set) var files: LeakFiles
    private var reader: OutstandingReader
    private var ledger = MappingLedger(pageSize: UInt64(pageBytes))
    /// What was dropped so far with processes that ended or called exec.
    private var gone = OutstandingSum()
    /// The largest leak of the last report, bytes a second; nil: nothing leaks.
    private(set) var largestLeak: Double?
    /// Mappings made since the start, by stack.
    private var mapped: [AllocationSite: UInt64] = [:]

    /// - Throws: `BPFError` where the object has no such maps.
    init(
        _ plan: MemLeakPlan, _ names: StackNames, _ files: LeakFiles, _ object: borrowing LoadedObject
    ) throws(BPFError) {
        self.files = files
        self.plan = plan
        self.names = names
        reader = try OutstandingReader(object)
        watch = LeakWatch(plan.settings, mayLeak: true)
        text = MemLeakText(
            top: plan.settings.top, showsAddresses: !plan.settings.combinedOnly, showsPIDs: plan.hasSeveralProcesses)
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
        watch.forget(pid)
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

    // MARK: looks between reports

    /// Seconds to the next look.
    var lookDelay: Double { watch.delay(at: monotonicNow()) }

    /// Takes a look where one is due.
    ///
    /// - Throws: `BPFError` where the maps can't be read.
    mutating func lookIfDue(_ processes: inout ProcessTable) throws(BPFError) {
        let now = monotonicNow()
        guard watch.isDue(now) else { return }
        _ = try look(at: now, youngest: plan.settings.youngest(at: now), keepsBlocks: false, &processes)
    }

    private mutating func look(
        at now: UInt64, youngest: UInt64, keepsBlocks: Bool, _ processes: inout ProcessTable
    ) throws(BPFError) -> (table: OutstandingTable, counters: MemLeakCounters) {
        let table = try outstanding(
            youngest: youngest, keepsBlocks: keepsBlocks, grid: watch.grid(at: now), &processes)
        let counters = try counters()
        let made = plan.settings.combinedOnly ? nil : try reader.made().merging(mapped) { $0 + $1 }
        // neither is changed while a stack is named: values of their own, for both belong to self
        var (watch, reader) = (watch, reader)
        let names = names
        try watch.take(table, made: made, counters: counters, at: now) { (site) throws(BPFError) in
            LeakWatch.Named(frames: try reader.stack(site.stack).map { names.frames($0, pid: site.pid) })
        }
        (self.watch, self.reader) = (watch, reader)
        return (table, counters)
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
        let (ranked, summary) = watch.ranked()
        largestLeak = summary.largestLeak
        let stacks = try stacks(files.isEmpty ? ranked.prefix(plan.settings.top) : ranked[...])
        if !files.isEmpty {
            files.take(
                LeakProfile(
                    stacks: stacks, time: .now, watched: UInt64(summary.watched * 1e9), target: plan.targetText,
                    showsProcesses: plan.hasSeveralProcesses))
        }
        try reader.makeRoom(counters)
        var report = MemLeakReport(
            time: .now, monotonic: now, stacks: Array(stacks.prefix(plan.settings.top)), total: table.total,
            siteCount: ranked.count,
            blocks: table.blocks, counters: counters, losses: losses, sampleRate: plan.settings.sampleRate,
            sampleBytes: plan.sampleBytes, gone: gone, leftOut: FilesLeftOut(plan.reading), younger: table.younger,
            minimumAge: atExit ? 0 : plan.settings.minimumAge, watch: summary)
        report.isSampledInProcess = plan.samplers != nil
        session.incomplete = report.leftOut.lines
        if session.options.json {
            for line in MemLeakJSON.lines(report) { session.output.print(line) }
        } else {
            for line in text.lines(report) { session.output.print(line) }
            for line in text.accounting(report) { session.output.note(line) }
            // that it is too early to tell, or that nothing leaks, is for people
            if report.watch.leaking.stacks + report.watch.growing.stacks > 0 || isatty(STDERR_FILENO) == 1 {
                for line in report.watch.lines { session.output.note(line) }
            }
        }
        for (pid, time) in processes.takeEnded() {
            try drop(pid, until: time, &processes)
            names.ended(pid)
            processNames.ended(pid)
        }
    }

    private mutating func stacks(_ ranked: some Sequence<RankedStack>) throws(BPFError) -> [MemLeakStack] {
        var stacks: [MemLeakStack] = []
        for stack in ranked {
            let (site, members) = watch.member(of: stack)
            let captured = try reader.stack(site.stack)
            stacks.append(
                MemLeakStack(
                    pid: site.pid, comm: processNames.name(site.pid), id: stack.id, sum: stack.sum, trend: stack.trend,
                    members: members, frames: captured.map { names.frames($0, pid: site.pid) }, end: captured?.end))
        }
        return stacks
    }

    /// - Parameter youngest: allocations made later are left out.
    private mutating func outstanding(
        youngest: UInt64, keepsBlocks: Bool = false, grid: AgeGrid? = nil, _ processes: inout ProcessTable
    ) throws(BPFError) -> OutstandingTable {
        try dropSums()
        var table = OutstandingTable(
            youngest: youngest, weight: plan.sampleWeight, keepsBlocks: keepsBlocks,
            ended: Set(processes.ended.keys), grid: grid)
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
