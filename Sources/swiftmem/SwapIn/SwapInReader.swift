// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import LibBPF
internal import Probes
internal import Reports
internal import SystemLayer
internal import TraceRecords

/// The kernel side's counters, read at the end of each interval.
struct SwapInReader {
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
    mutating func advance(_ session: borrowing Session, histogram wanted: Bool) throws -> SwapInInterval {
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
