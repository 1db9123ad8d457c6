// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import SystemLayer
internal import TraceRecords
internal import Glibc
internal import LibBPF
internal import Reports
internal import Probes

/// Who waits for swap, how much, how long.
struct SwapIn: Tool {
    static let configuration = CommandConfiguration(
        commandName: "swapin",
        abstract: "Pages that came back from swap, by process, and what it waited for them.",
        discussion: """
            COUNT is in pages of 4 KiB: every page read from swap (device, zram, zswap, or \
            zero-filled) in the process's name, read ahead or asked for. Their sum is the \
            growth of pswpin, zswpin and swpin_zero in /proc/vmstat.

            --wide adds AHEAD (pages of COUNT that no fault asked for), where the pages came \
            from (DISK, ZRAM, ZSWAP, ZERO), OUT (the process's pages that went to swap, \
            whoever reclaimed them), and the total and longest time its page faults took that \
            ended with a page from swap, read or found in the swap cache. "-" can't be told here.

            Other than bcc's swapin: that one counts calls of a function that kernels since \
            6.9 don't have, and needs kprobes.
            """)

    @Flag(name: [.customShort("T"), .long], help: "Don't print the time.")
    var notime = false
    @Flag(help: "Also read-ahead, sources, swap-outs, waits and cgroup.")
    var wide = false
    @Option(help: ArgumentHelp("One row for each: process or cgroup.", valueName: "what"))
    var by = Grouping.process
    @Flag(help: "The waits of each interval by powers of two.")
    var histogram = false
    @OptionGroup var interval: IntervalArguments
    @OptionGroup var processes: ProcessOptions
    @OptionGroup var report: ReportOptions

    enum Grouping: String, ExpressibleByArgument, CaseIterable { case process, cgroup }

    func run() throws {
        let tasks = processes.tasks
        let filter = try filter_config(tasks)
        try requireTask(tasks)
        let detailed = wide || histogram || report.json
        var session = try Session(Self.mode(detailed: detailed, filter: filter), report)
        try trace(&session)
        try session.finish()
    }

    private func trace(_ session: inout Session) throws {
        var loop = try EventLoop(interval: interval.interval?.value ?? 1, duration: report.duration?.value)
        let layout = SwapInText.Layout(time: !notime, wide: wide, byCgroup: by == .cgroup)
        var counting = try SwapInCounting(session)
        var left = interval.count?.value
        guard try session.begin(SwapInText.header) else { return }
        if counting.devices.isEmpty {
            note("swapin: no swap device or file is in use; counting goes on, should one come")
        }
        while true {
            let wakeup = try loop.next()
            if wakeup == .outputClosed { return }
            guard wakeup.endsInterval else { continue }
            var one = try counting.advance(session, histogram: histogram)
            if by == .cgroup { one.rows = SwapInRow.byCgroup(one.rows) }
            left = left.map { $0 - 1 }
            let last = wakeup == .stop || left == 0
            if report.json {
                for line in SwapInJSON.lines(one) { session.output.print(line) }
            } else {
                for line in SwapInText.lines(one, layout) { session.output.print(line) }
                try session.showLosses()
                if last { session.output.print(SwapInText.ending) }
            }
            guard try session.output.flush(), !last else { return }
        }
    }
}

/// The kernel side's counters, read at the end of each interval.
private struct SwapInCounting {
    private let known: SwapInKnown
    private let counters: PerCPUMap<swapin_key, swapin_counters>
    private let cgroups: BPFMap<UInt64, swapin_cgroup>
    private let slots: PerCPUMap<UInt32, UInt64>
    private let interval: BPFMap<UInt32, UInt32>

    private var last: [SwapInProcess: SwapInCounters] = [:]
    private var paths: [UInt64: CgroupPath] = [:]
    private var epoch: UInt32 = 1
    private var vmstat: SwapVMStat
    private(set) var devices: SwapDevices
    private var histogram: Log2Histogram
    private var losses: Losses
    private var begin: UInt64

    init(_ session: borrowing Session) throws {
        let resolution = session.probes.resolution
        let (sources, asked): (Bool, Bool) =
            switch resolution[SwapIn.Pages.self]?.counting {
            // the events name the source; the function that reads does not, nor do page faults
            case .events: (true, true)
            case .reads:
                (
                    resolution[SwapIn.Sources.self]?.isFunction == true,
                    resolution[SwapIn.Waits.self]?.isFunction == true
                )
            case .entries, nil: (false, false)
            }
        known = SwapInKnown(
            sources: sources, asked: asked, waits: resolution[SwapIn.Waits.self] != nil,
            swapouts: resolution[SwapIn.SwapOuts.self] != nil)
        counters = try session.probes.object.perCPUMap("processes")
        cgroups = try session.probes.object.map("cgroups")
        slots = try session.probes.object.perCPUMap("wait_slots")
        interval = try session.probes.object.map("interval")
        vmstat = Self.vmstat()
        devices = Self.devices()
        histogram = Log2Histogram(counts: [])
        losses = try session.losses()
        begin = monotonicNow()
        histogram = try readHistogram()
        try interval.set(0, to: epoch)
        last = try read(epoch)
    }

    private static func vmstat() -> SwapVMStat { SwapVMStat(vmstat: ProcFS.text("vmstat")) }
    private static func devices() -> SwapDevices { SwapDevices(swaps: ProcFS.text("swaps")) }

    private func read(_ epoch: UInt32) throws -> [SwapInProcess: SwapInCounters] {
        var result: [SwapInProcess: SwapInCounters] = [:]
        try counters.forEach { key, records in
            result[SwapInProcess(key)] = SwapInCounters(records: records, epoch: epoch)
        }
        return result
    }

    private func readHistogram() throws -> Log2Histogram {
        var counts: [UInt64] = []
        for slot in 0..<UInt32(SWAPIN_SLOTS) {
            counts.append(try slots.sum(for: slot))
        }
        return Log2Histogram(counts: counts)
    }

    /// Ends an interval.
    mutating func advance(_ session: borrowing Session, histogram wanted: Bool) throws
        -> SwapInInterval
    {
        // First the number: longest waits from now on are the next interval's.
        let ended = epoch
        epoch &+= 1
        try interval.set(0, to: epoch)
        let now = try read(ended)
        let vmstatNow = Self.vmstat()
        let histogramNow = try readHistogram()
        let time = monotonicNow()
        let devicesNow = Self.devices()
        let lossesNow = try session.losses()

        var rows: [SwapInRow] = []
        for (process, counters) in now {
            let added = counters.since(last[process] ?? SwapInCounters())
            if added.isIdle {
                try forget(process)
                continue
            }
            rows.append(
                SwapInRow(
                    pid: process.pid, counters: added, cgroup: try path(of: counters.cgroup),
                    known: known, devices: devices.union(devicesNow)))
        }
        defer {
            (last, vmstat, devices) = (now, vmstatNow, devicesNow)
            (histogram, losses, begin) = (histogramNow, lossesNow, time)
        }
        return SwapInInterval(
            time: .now, intervalNanoseconds: time - begin, rows: SwapInRow.sorted(rows),
            vmstat: vmstatNow.since(vmstat),
            histogram: wanted && known.waits ? histogramNow.since(histogram) : nil,
            losses: lossesNow.since(losses))
    }

    /// Makes room: a process that is gone counts no more, and had its last row.
    private func forget(_ process: SwapInProcess) throws {
        guard !ProcessFiles(process.pid).exists else { return }
        try counters.remove(process.key)
    }

    private mutating func path(of id: UInt64) throws -> CgroupPath? {
        guard id != 0 else { return nil }
        if let known = paths[id] { return known }
        guard let record = try cgroups.value(for: id) else { return nil }
        let path = CgroupPath(record)
        paths[id] = path
        return path
    }
}
