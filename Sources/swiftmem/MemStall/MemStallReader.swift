// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import Reports
internal import Symbols
internal import SystemLayer
internal import TraceRecords

/// `--reclaim`.
struct ReclaimWish {
    /// Names of kernel functions, read before a session begins, which gives the right to them away; nil: they are hidden.
    let symbols = try? KernelSymbols()
}

/// The kernel side's counters, read at the end of each interval.
struct MemStallReader {
    private let rows: BPFMap<memstall_key, memstall_counters>
    private let tasks: BPFMap<UInt32, memstall_task>
    private let cpus: BPFMap<UInt32, memstall_cpu>
    private let slots: PerCPUMap<UInt32, UInt64>
    private let settings: BPFMap<UInt32, UInt32>
    private var cgroups: MemStallCgroups
    private var hierarchy = MemStallHierarchy()
    private var groups: MemStallGroupCPUs
    private var reclaim: MemStallReclaimReader?
    private var stacks: MemStallStackReader?
    private var evictions: MemStallEvictionReader?
    private var weighed: UInt64
    private var groupsBefore: [UInt64: UInt64] = [:]
    /// Rows are those of some tasks only: nothing to compare with the machine's PSI.
    private let filtered: Bool

    private var ledger = MemStallLedger(from: [:])
    private var sum: CPUStallSum
    private var sumBefore = 0.0
    private var epoch: UInt32 = 1
    private var pressure: MemoryPressure?
    private var vmstat = Self.vmstat()
    private var histograms: [MemStallCause: Log2Histogram] = [:]
    private var losses: Losses
    private var begin: UInt64

    /// Counting begins here.
    ///
    /// - Parameters:
    ///   - reclaim: what the kernel's own threads do is wanted too.
    ///   - evicted: who evicts whose pages is wanted too.
    ///   - stacks: the stacks of stalls are wanted too.
    init(
        _ session: borrowing Session, filtered: Bool, reclaim: ReclaimWish?, evicted: Bool = false,
        stacks: MemStallStackWish? = nil
    ) throws {
        rows = try session.probes.object.map("rows")
        tasks = try session.probes.object.map("tasks")
        cpus = try session.probes.object.map("cpus")
        slots = try session.probes.object.perCPUMap("slots")
        settings = try session.probes.object.map("settings")
        cgroups = try MemStallCgroups(session)
        groups = try MemStallGroupCPUs(session)
        self.reclaim = nil
        if let reclaim { self.reclaim = try MemStallReclaimReader(session, reclaim.symbols) }
        self.evictions = nil
        if evicted, session.probes.resolution[MemStall.Evictions.self] != nil {
            self.evictions = try MemStallEvictionReader(session)
        }
        self.stacks = nil
        if let stacks { self.stacks = try MemStallStackReader(session, stacks) }
        weighed = monotonicNow()
        self.filtered = filtered
        begin = monotonicNow()
        losses = try session.losses()
        sum = CPUStallSum(stalled: try Self.stalled(cpus), busy: Self.busy())
        pressure = Self.pressure()
        try settings.set(MEMSTALL_EPOCH.rawValue, to: epoch)
        ledger = MemStallLedger(from: try read(epoch))
        histograms = try readHistograms()
    }

    /// The machine's; nil where the kernel keeps none.
    static func pressure() -> MemoryPressure? { MemoryPressure(ProcFS.text("pressure/memory")) }
    private static func vmstat() -> ReclaimVMStat { ReclaimVMStat(vmstat: ProcFS.text("vmstat")) }
    private static func busy() -> CPUBusyTimes { CPUBusyTimes(stat: ProcFS.text("stat")) }

    private static func stalled(_ cpus: BPFMap<UInt32, memstall_cpu>) throws(BPFError) -> [UInt64] {
        var result: [UInt64] = []
        for cpu in 0..<UInt32(possibleCPUs) {
            let record = try cpus.value(for: cpu) ?? memstall_cpu()
            result.append(record.stalledNanoseconds(at: monotonicNow()))
        }
        return result
    }

    private func read(_ epoch: UInt32) throws(BPFError) -> [MemStallKey: MemStallCounters] {
        var result: [MemStallKey: MemStallCounters] = [:]
        // what has ended first: what ends between the two readings comes with the next ones
        try rows.forEach { key, record in result[MemStallKey(key)] = MemStallCounters(record, epoch: epoch) }
        let now = monotonicNow()
        try tasks.forEach { _, task in
            for piece in MemStallPiece.pieces(task, at: now) {
                result[piece.key, default: MemStallCounters()].add(piece)
            }
        }
        return result
    }

    private func readHistograms() throws(BPFError) -> [MemStallCause: Log2Histogram] {
        var result: [MemStallCause: Log2Histogram] = [:]
        for cause in MemStallCause.allCases {
            var counts: [UInt64] = []
            for slot in 0..<UInt32(MEMSTALL_SLOTS) {
                counts.append(try slots.sum(for: cause.rawValue * UInt32(MEMSTALL_SLOTS) + slot))
            }
            result[cause] = Log2Histogram(counts: counts)
        }
        return result
    }

    /// The CPUs' shares change: PSI itself weighs them every two seconds (PSI_FREQ).
    static let weighing = 2.0

    /// Seconds until `alarm` is to be called.
    var alarmDelay: Double {
        let since = Double(monotonicNow() &- weighed) / 1e9
        return min(max(0.001, Self.weighing - since), stacks?.delay ?? Self.weighing)
    }

    mutating func alarm() throws {
        stacks?.rearm()
        if Double(monotonicNow() &- weighed) / 1e9 >= Self.weighing * 0.99 { try weigh() }
    }

    /// Readable when a process whose stacks are walked has changed; nil: none are.
    var changes: Int32? { stacks?.descriptor }

    mutating func takeIn() throws { try stacks?.takeIn() }

    private mutating func weigh() throws {
        weighed = monotonicNow()
        try look()
        sum.advance(stalled: try Self.stalled(cpus), busy: Self.busy())
        if hierarchy.mount?.unified == true && !filtered { try groups.advance() }
    }

    /// A stall that seems long may be one whose end no program saw: from now on, until none seems long, the programs
    /// look at each task that leaves a CPU.
    private func look() throws(BPFError) {
        var isLong = false
        let now = monotonicNow()
        try tasks.forEach { _, task in
            isLong = isLong || (task.in_psi != 0 && now > task.since_ns &+ UInt64(Self.weighing * 1e9 / 2))
        }
        try settings.set(MEMSTALL_LOOKS.rawValue, to: isLong ? 1 : 0)
    }

    /// Ends an interval.
    ///
    /// - Parameters:
    ///   - least: nanoseconds; rows below are left out.
    ///   - histogram: the stalls by length are wanted.
    mutating func advance(
        _ session: borrowing Session, by grouping: MemStallRow.Grouping, least: UInt64, histogram: Bool
    ) throws -> MemStallInterval {
        // who is gone before the reading counts no more behind it
        let gone = ledger.keys.filter { !ProcessFiles($0.tid).exists }
        // First the number: longest stalls from now on are the next interval's.
        let ended = epoch
        epoch &+= 1
        try settings.set(MEMSTALL_EPOCH.rawValue, to: epoch)
        let reading = try read(ended)
        try weigh()
        let pressureNow = Self.pressure(), vmstatNow = Self.vmstat(), now = monotonicNow()
        let lossesNow = try session.losses()
        let histogramsNow = histogram ? try readHistograms() : [:]

        let found = try taskRows(ledger.advance(to: reading))
        for key in gone where !reading.isEmpty {
            try rows.remove(key.record)
            ledger.forget(key)
        }
        let explained = max(0, sum.some - sumBefore)
        let grouped = MemStallRow.grouped(found, by: grouping).filter { $0.counters.stalledNanoseconds >= least }
        let before = histograms
        defer {
            (sumBefore, pressure, losses, begin) = (sum.some, pressureNow, lossesNow, now)
            vmstat = vmstatNow
            if histogram { histograms = histogramsNow }
        }
        var interval = MemStallInterval(
            time: .now, intervalNanoseconds: now - begin, rows: grouped,
            pressure: pressure.flatMap { earlier in pressureNow.map { $0.since(earlier) } },
            explained: filtered || pressure == nil ? nil : UInt64(explained), vmstat: vmstatNow.since(vmstat),
            histograms: histogram
                ? histogramsNow.reduce(into: [:]) { $0[$1.key] = $1.value.since(before[$1.key] ?? $1.value) } : nil,
            losses: lossesNow.since(losses))
        interval.hasGroupPressure = hierarchy.mount?.unified == true
        let everybody = filtered ? nil : found
        interval.reclaim = try reclaim?.advance(everybody, epoch: ended)
        interval.evictions = try evictions?.advance(&cgroups)
        try judge(&interval, found)
        return interval
    }

    /// A row for each task, cause and limit, whatever its stalls' stacks.
    private mutating func taskRows(
        _ added: [(key: MemStallKey, counters: MemStallCounters)]
    ) throws -> [MemStallRow] {
        stacks?.refresh()
        var found: [(key: MemStallKey, row: MemStallRow)] = []
        for (key, counters) in added {
            var row = MemStallRow(
                pid: key.pid, tid: key.tid, comm: counters.comm, cgroup: try cgroups.path(key.cgroup),
                cause: key.cause, limitCgroup: try cgroups.path(key.limitCgroup), counters: counters)
            if let stack = try stacks?.stack(key, counters) { row.stacks = [stack] }
            found.append((key, row))
        }
        try stacks?.reported()
        return MemStallRow.joined(found)
    }

    /// What the interval's rows say of cgroups and limits, beside the cgroups' own files.
    private mutating func judge(
        _ interval: inout MemStallInterval, _ tasks: [MemStallRow]
    ) throws {
        let files = hierarchy.advance(Set(tasks.flatMap { [$0.cgroup, $0.limitCgroup].compactMap { $0 } }))
        var explained: [CgroupPath: UInt64] = [:]
        let sums = groups.explained
        if groups.isKnown && !filtered {
            for (id, some) in sums {
                guard let path = try cgroups.path(id) else { continue }
                let before = groupsBefore[id] ?? 0
                explained[path] = some > before ? some - before : 0
            }
        }
        groupsBefore = sums
        interval.judge(
            tasks: tasks, before: files.before, now: files.now, explained: explained,
            pageSize: UInt64(pageBytes))
        // what is gone makes room for others
        let gone = Set(tasks.compactMap(\.cgroup)).subtracting(files.now.keys)
        for id in sums.keys where try cgroups.path(id).map(gone.contains) ?? false {
            try groups.forget(id)
            groupsBefore[id] = nil
        }
    }
}

/// The paths of memory cgroups that were met.
struct MemStallCgroups {
    private let map: BPFMap<UInt64, memstall_cgroup>
    private var paths: [UInt64: CgroupPath] = [:]

    init(_ session: borrowing Session) throws { map = try session.probes.object.map("cgroups") }

    /// nil where there is none, or it is not known.
    mutating func path(_ id: UInt64) throws -> CgroupPath? {
        guard id != 0 else { return nil }
        if let known = paths[id] { return known }
        guard let record = try map.value(for: id), record.ready != 0 else { return nil }
        let path = CgroupPath(record)
        paths[id] = path
        return path
    }
}
