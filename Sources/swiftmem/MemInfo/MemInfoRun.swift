// SPDX-License-Identifier: Apache-2.0
internal import Reports

/// A run of meminfo: a report at once, and one at the end of each interval. It has no probes, and so none of the
/// loop's that the tracing tools run in.
struct MemInfoRun: ~Copyable {
    private let command: MemInfo
    private let pace: ReportLoop.Pace
    private let text: MemInfoText
    private var reader: MachineReader
    private var output = Output()
    private var before: MemoryLedger?
    private var first: MemoryLedger?

    init(_ command: MemInfo, _ pace: ReportLoop.Pace) {
        (self.command, self.pace) = (command, pace)
        text = MemInfoText(details: !command.brief)
        reader = MachineReader(isExact: command.exact)
    }

    /// - Throws: `Failure` where /proc tells nothing, or the output can't be written.
    mutating func run() throws(Failure) {
        try report()
        guard let interval = pace.interval, pace.count != 1, try output.flush() else {
            _ = try output.flush()
            return
        }
        var events = try EventLoop(interval: interval, duration: pace.duration)
        var left = pace.count.map { $0 - 1 }
        while try output.flush() {
            switch try events.next() {
            case .tick:
                try report()
                left = left.map { $0 - 1 }
                if left == 0 { return _ = try output.flush() }
            case .reportWanted: try report()
            case .stop:
                try report()
                _ = try output.flush()
                return
            case .outputClosed: return
            case .records, .keys, .resized, .childChanged, .alarm: break
            }
        }
    }

    private mutating func report() throws(Failure) {
        let ledger = try reader.read()
        let report = MemInfoReport(ledger, before: before, first: first)
        before = ledger
        if first == nil { first = ledger }
        let hints = MemInfoHint.hints(report)
        let processes = command.processes ? ProcessReader.read(budget: UInt64(command.pss.value * 1e9)) : []
        let cgroups = command.cgroups ? CgroupReader.read() : []
        if command.json {
            output.print(MemInfoJSON.line(report))
            for detail in ledger.details { output.print(MemInfoJSON.line(detail, of: ledger)) }
            for hint in hints { output.print(hint.json(ledger.time)) }
            for process in processes { output.print(MemInfoJSON.line(process, ledger.time)) }
            for cgroup in cgroups { output.print(MemInfoJSON.line(cgroup, ledger.time)) }
            if command.files { for file in ledger.sharedFiles { output.print(MemInfoJSON.line(file, ledger.time)) } }
            return
        }
        if first?.monotonic != ledger.monotonic { output.print("") }
        if pace.interval != nil { output.print(ledger.time.clockTime) }
        for line in text.lines(report) { output.print(line) }
        let rows = command.rows.value
        if command.processes { for line in MemInfoTables.lines(processes, count: rows) { output.print(line) } }
        if command.cgroups { for line in MemInfoTables.lines(cgroups, count: rows) { output.print(line) } }
        if command.files { for line in MemInfoTables.lines(ledger.sharedFiles, count: rows) { output.print(line) } }
        for hint in hints { for line in wrapped(hint.text) { output.print(line) } }
        for line in advice(ledger) { output.print(line) }
    }

    /// What root would add, where there is something to add.
    private func advice(_ ledger: MemoryLedger) -> [String] {
        guard (ledger[.shmemOther] ?? 0) > 1 << 20 else { return [] }
        var lines: [String] = []
        if ledger.unseenProcesses > 0 {
            let isRoot = Capabilities.own.has(.sysAdmin)
            lines += wrapped(
                "\(ledger.unseenProcesses) processes may not be looked at: shared memory that they hold is not "
                    + "told apart" + (isRoot ? "" : "; as root it is"))
        }
        if ledger.skippedProcesses > 0 {
            lines += wrapped("\(ledger.skippedProcesses) processes were not looked at for want of time")
        }
        return lines
    }
}
