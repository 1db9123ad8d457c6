// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Reports
internal import SystemLayer

/// Adds up what is outstanding, and makes a report of it.
struct MemLeakReporter {
    private let plan: MemLeakPlan
    private let text: MemLeakText
    private let names: StackNames
    private var reader: OutstandingReader
    private var ledger = MappingLedger(pageSize: UInt64(pageBytes))
    /// What was dropped so far with processes that ended or called exec.
    private var gone = OutstandingSum()

    /// - Throws: `BPFError` where the object has no such maps.
    init(_ plan: MemLeakPlan, _ names: StackNames, _ object: borrowing LoadedObject) throws(BPFError) {
        self.plan = plan
        self.names = names
        reader = try OutstandingReader(object)
        text = MemLeakText(
            top: plan.settings.top, showsAddresses: !plan.settings.combinedOnly, showsPIDs: plan.hasSeveralProcesses)
    }

    mutating func apply(_ call: MappingCall) { ledger.apply(call) }

    /// A process's memory is gone: its blocks are dropped when they are read next, mappings and sums now.
    ///
    /// - Throws: `BPFError` where the maps can't be read.
    mutating func drop(_ pid: UInt32, until time: UInt64, _ processes: inout ProcessTable) throws(BPFError) {
        processes.drop(pid, until: time)
        gone.add(ledger.sum(of: pid))
        ledger.forget(pid: pid)
        if plan.settings.combinedOnly { try reader.dropTotals(of: pid) }
    }

    func counters() throws(BPFError) -> MemLeakCounters { try reader.readCounters() }

    /// What is outstanding now, of any age.
    ///
    /// - Throws: `BPFError` where the maps can't be read.
    mutating func total(_ processes: inout ProcessTable) throws(BPFError) -> OutstandingSum {
        try outstanding(youngest: .max, keepsBlocks: false, &processes).total
    }

    /// Prints a report.
    ///
    /// - Parameter atExit: the process is gone: what it had is reported whatever its age.
    mutating func report(
        atExit: Bool, losses: Losses, _ processes: inout ProcessTable, _ session: inout Session
    ) throws(BPFError) {
        let now = monotonicNow()
        let table = try outstanding(
            youngest: atExit ? now : plan.settings.youngest(at: now), keepsBlocks: plan.settings.showsBlocks, &processes
        )
        let counters = try counters()
        let stacks = try stacks(of: table)
        try reader.makeRoom(counters)
        let report = MemLeakReport(
            time: .now, monotonic: now, stacks: stacks, total: table.total, siteCount: table.sites.count,
            blocks: table.blocks, counters: counters, losses: losses, sampleRate: plan.settings.sampleRate,
            sampleBytes: plan.sampleBytes, gone: gone, leftOut: FilesLeftOut(plan.reading))
        session.incomplete = report.leftOut.lines
        if session.options.json {
            for line in MemLeakJSON.lines(report) { session.output.print(line) }
        } else {
            for line in text.lines(report) { session.output.print(line) }
            for line in text.accounting(report) { session.output.note(line) }
        }
        for (pid, time) in processes.takeEnded() {
            try drop(pid, until: time, &processes)
            names.ended(pid)
        }
    }

    private mutating func stacks(of table: OutstandingTable) throws(BPFError) -> [MemLeakStack] {
        var stacks: [MemLeakStack] = []
        for (site, sum) in table.top(plan.settings.top, by: plan.settings.order) {
            let stack = try reader.stack(site.stack)
            stacks.append(
                MemLeakStack(
                    pid: site.pid, sum: sum, frames: stack.map { names.frames($0, pid: site.pid) }, end: stack?.end))
        }
        return stacks
    }

    /// - Parameter youngest: allocations made later are left out.
    private mutating func outstanding(
        youngest: UInt64, keepsBlocks: Bool, _ processes: inout ProcessTable
    ) throws(BPFError) -> OutstandingTable {
        var table = OutstandingTable(
            youngest: youngest, weight: plan.sampleWeight, keepsBlocks: keepsBlocks,
            ended: Set(processes.ended.keys))
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
