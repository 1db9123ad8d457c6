// SPDX-License-Identifier: Apache-2.0
internal import Probes
internal import Reports
internal import SystemLayer
internal import SystemPackage

/// A run of meminfo: a report at once, and one at the end of each interval. It attaches nothing, and so needs none of the
/// loop that the tracing tools run in.
struct MemInfoRun: ~Copyable {
    private let command: MemInfo
    private let pace: ReportLoop.Pace
    private let text: MemInfoText
    private var reader: MachineReader
    private let kernel: KernelWalk?
    private let hunt: PageHunt?
    private var output = Output()
    private var before: MemoryLedger?
    private var first: MemoryLedger?

    /// - Throws: `Failure` where SWIFTMEM_RUNG asks for what is not, or a right for --unaccounted is missing;
    ///   `ProbeError` where the kernel can't trace pages.
    init(_ command: MemInfo, _ pace: ReportLoop.Pace) throws {
        self.init(
            command, pace, hunt: command.unaccounted ? try PageHunt() : nil, kernel: try KernelWalk.begin())
    }

    /// Apart from what throws: Swift 6.2 fails on an initializer that does where fields have values of their own.
    private init(_ command: MemInfo, _ pace: ReportLoop.Pace, hunt: PageHunt?, kernel: KernelWalk?) {
        self.hunt = hunt
        self.kernel = kernel
        (self.command, self.pace) = (command, pace)
        text = MemInfoText(details: !command.brief)
        reader = MachineReader(isExact: command.exact, kernel: kernel)
    }

    /// - Throws: `Failure` where /proc tells nothing, or the output can't be written; `BPFError` where the kernel
    ///   does not tell what pages were taken.
    mutating func run() throws {
        if command.json {
            output.print(
                StartJSON.line(
                    time: .now, tool: "meminfo", version: swiftmemVersion, kernel: KernelVersion.runningRelease,
                    pageBytes: pageBytes, rungs: (kernel?.rungs ?? []) + (hunt?.rungs ?? [])))
        }
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
            case .records, .keys, .resized, .childChanged, .alarm, .baselineWanted: break
            }
        }
    }

    private mutating func report() throws {
        let ledger = try reader.read()
        let report = MemInfoReport(ledger, before: before, first: first)
        before = ledger
        if first == nil { first = ledger }
        let hints = MemInfoHint.hints(report)
        let found: RemainderHunt? =
            if let hunt { RemainderHunt(report, taken: try hunt.taken(), losses: try hunt.losses()) } else { nil }
        if command.json {
            json(report, hints)
            if let found { output.print(found.json(count: 100)) }
        } else {
            show(report, hints)
            if let found {
                for line in found.lines(count: command.rows.value) { output.print(line) }
                for line in found.losses.lines { output.note("lost: " + line) }
            }
        }
    }

    private mutating func json(_ report: MemInfoReport, _ hints: [MemInfoHint]) {
        let ledger = report.ledger, time = report.ledger.time
        output.print(MemInfoJSON.line(report))
        for detail in ledger.details { output.print(MemInfoJSON.line(detail, of: ledger)) }
        for hint in hints { output.print(hint.json(time)) }
        for process in processes() { output.print(MemInfoJSON.line(process, time)) }
        for cgroup in cgroups() { output.print(MemInfoJSON.line(cgroup, time)) }
        if command.files { for file in ledger.sharedFiles { output.print(MemInfoJSON.line(file, time)) } }
        guard command.numa else { return }
        for line in ZoneReport.json(ledger.zones, pageBytes: ledger.pageBytes, time) { output.print(line) }
        for line in ZoneReport.nodeJSON(ledger.zones, pageBytes: ledger.pageBytes, time) { output.print(line) }
    }

    private mutating func show(_ report: MemInfoReport, _ hints: [MemInfoHint]) {
        let ledger = report.ledger
        if first?.monotonic != ledger.monotonic { output.print("") }
        if pace.interval != nil { output.print(ledger.time.clockTime) }
        var lines = text.lines(report)
        let rows = command.rows.value
        if command.processes { lines += MemInfoTables.lines(processes(), count: rows) }
        if command.cgroups { lines += MemInfoTables.lines(cgroups(), count: rows) }
        if command.files { lines += MemInfoTables.lines(ledger.sharedFiles, count: rows) }
        if command.numa {
            lines += ZoneReport.nodeLines(ledger.zones, pageBytes: ledger.pageBytes)
            lines += ZoneReport.lines(ledger.zones, pageBytes: ledger.pageBytes)
            lines += wrapped(Self.settings.joined(separator: ", "))
        }
        lines += hints.flatMap { wrapped($0.text) } + advice(ledger)
        for line in lines { output.print(line) }
    }

    private static func processes(_ count: Int) -> String { count == 1 ? "1 process" : "\(count) processes" }

    private func processes() -> [ProcessMemory] {
        command.processes ? ProcessReader.read(kernel, budget: UInt64(command.pss.value * 1e9)) : []
    }

    private func cgroups() -> [CgroupMemory] { command.cgroups ? CgroupReader.read() : [] }

    /// What decides when the kernel reclaims, and what it promises.
    private static var settings: [String] {
        ["min_free_kbytes", "watermark_scale_factor", "swappiness", "zone_reclaim_mode", "overcommit_memory"]
            .compactMap { name in
                readOneLine(FilePath("/proc/sys/vm/\(name)")).map { "vm.\(name) \(Printable.text($0))" }
            }
    }

    /// What root would add, where there is something to add.
    private func advice(_ ledger: MemoryLedger) -> [String] {
        var lines: [String] = []
        if !Capabilities.own.missing.isEmpty {
            lines += wrapped("as root what waits in pipes, sockets and rings is told too; here it is in the remainder")
        }
        guard (ledger[.shmemOther] ?? 0) > 1 << 20 else { return lines }
        if ledger.unseenProcesses > 0 {
            let isRoot = Capabilities.own.has(.sysAdmin)
            lines += wrapped(
                Self.processes(ledger.unseenProcesses) + " may not be looked at: shared memory held there is not "
                    + "told apart" + (isRoot ? "" : "; as root it is"))
        }
        if ledger.skippedProcesses > 0 {
            lines += wrapped("for want of time not looked at: " + Self.processes(ledger.skippedProcesses))
        }
        return lines
    }
}
