// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import Reports

/// Adds up what is outstanding of the kernel's memory, and makes a report of it.
struct KernelLeakReporter {
    private let plan: KernelLeakPlan
    private let names: KernelStackNames
    private let seesAllFrees: Bool
    private var reader: KernelLeakReader
    private(set) var reports: LeakReports
    /// The slab caches at the start.
    private let slabs = SlabCaches()
    /// One allocation in so many is recorded now.
    private(set) var rate: UInt64
    private var hasSampled: Bool
    private var baseline: LeakBaseline

    /// - Throws: `BPFError` where the object has no such maps.
    init(
        _ plan: KernelLeakPlan, _ names: KernelStackNames, _ files: LeakFiles, _ recorder: LeakRecorder?,
        _ session: borrowing Session
    ) throws(BPFError) {
        self.plan = plan
        self.names = names
        seesAllFrees = KernelLeakPlan.seesAllFrees(session.probes.resolution)
        reader = try KernelLeakReader(session.probes.object)
        // the kernel keeps caches until memory is short: growth alone proves no leak
        reports = LeakReports(
            plan.settings.run(mayLeak: false, isKernel: true, target: "the kernel"), plan.settings, files, recorder
        )
        baseline = LeakBaseline(after: plan.settings.baseline)
        rate = plan.settings.sampleRate
        hasSampled = rate > 1
        try reader.setSampling(rate)
    }

    /// Records one allocation in `rate` from now on.
    ///
    /// - Throws: `BPFError` where the map can't be written.
    mutating func setSampling(_ rate: UInt64) throws(BPFError) {
        try reader.setSampling(rate)
        self.rate = rate
        if rate > 1 { hasSampled = true }
    }

    /// Prints a report.
    mutating func report(losses: Losses, _ session: inout Session) throws(BPFError) {
        let now = monotonicNow()
        let (table, counters, counted) = try look(at: now, keepsBlocks: plan.settings.showsBlocks)
        let caches = try reader.readCaches()
        var kernel = counted
        kernel.doubtful = try doubtful(table, caches)
        kernel.seesBulk = seesAllFrees
        kernel.unseenCaches = Set(caches.values.filter { $0.unseenFrees > 0 }.map(\.name)).sorted()
        var report = MemLeakReport(
            time: .now, monotonic: now, total: table.total, blocks: names.shown(table.blocks), counters: counters,
            losses: losses, sampleRate: rate, kernel: kernel, younger: table.younger,
            minimumAge: plan.settings.minimumAge)
        if baseline.isSet { report.baseline = table.older }
        try Self.print(report, caches, &reports, &reader, names, &session)
        try reader.makeRoom(counters)
    }

    private static func print(
        _ report: MemLeakReport, _ caches: [UInt64: KernelCache], _ reports: inout LeakReports,
        _ reader: inout KernelLeakReader, _ names: KernelStackNames, _ session: inout Session
    ) throws(BPFError) {
        try reports.report(report, names: [:], &session) { (captured) throws(BPFError) in
            try site(captured, caches, &reader, names)
        }
    }

    /// The caches with more objects outstanding than the kernel's own count explains.
    private mutating func doubtful(
        _ table: OutstandingTable, _ caches: [UInt64: KernelCache]
    ) throws(BPFError) -> [SlabCheck] {
        var counts: [String: UInt64] = [:]
        // estimates of what is sampled prove nothing
        for (site, sum) in table.sites where !sum.isEstimated {
            guard let cache = try reader.stack(site.stack).flatMap({ caches[$0.cache] }) else { continue }
            counts[cache.name, default: 0] &+= sum.count
        }
        let now = SlabCaches()
        var found: [SlabCheck] = []
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) {
            guard let check = now.check(name, outstanding: count, since: slabs),
                check.isDoubtful(seesAllFrees: seesAllFrees)
            else { continue }
            found.append(check)
        }
        return found
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
    mutating func setBaseline() throws(BPFError) {
        guard !plan.settings.combinedOnly else { return note(LeakBaseline.needsAges) }
        let now = monotonicNow()
        let (table, _, _) = try look(at: now, keepsBlocks: false)
        var sum = table.total
        sum.add(table.older)
        sum.add(table.younger)
        baseline.set(at: now, sum)
        reports.setBaseline(at: now, sum)
    }

    /// Takes a look where one is due.
    ///
    /// - Throws: `BPFError` where the maps can't be read.
    mutating func lookIfDue() throws(BPFError) {
        let now = monotonicNow()
        if baseline.isDue(now) { return try setBaseline() }
        if reports.isLookDue(now) { _ = try look(at: now, keepsBlocks: false) }
    }

    private mutating func look(
        at now: UInt64, keepsBlocks: Bool
    ) throws(BPFError) -> (table: OutstandingTable, counters: MemLeakCounters, kernel: KernelLeakCounters) {
        var table = OutstandingTable(
            youngest: plan.settings.youngest(at: now), keepsBlocks: keepsBlocks, grid: reports.grid(at: now),
            baseline: baseline.time)
        if plan.settings.combinedOnly {
            try reader.addTotals(to: &table, isEstimated: hasSampled)
        } else {
            try reader.addBlocks(to: &table)
        }
        let (counters, kernel) = try reader.readCounters()
        names.refresh()
        let caches = try reader.readCaches()
        let look = LeakLook(
            time: now, wall: .now, sums: table.sites, made: nil,
            unmatched: counters.unmatchedFrees &+ baseline.freed(table.older))
        try Self.take(look, caches, &reports, &reader, names)
        return (table, counters, kernel)
    }

    private static func take(
        _ look: LeakLook, _ caches: [UInt64: KernelCache], _ reports: inout LeakReports,
        _ reader: inout KernelLeakReader, _ names: KernelStackNames
    ) throws(BPFError) {
        try reports.take(look) { (captured) throws(BPFError) in try site(captured, caches, &reader, names) }
    }

    private static func site(
        _ captured: AllocationSite, _ caches: [UInt64: KernelCache], _ reader: inout KernelLeakReader,
        _ names: KernelStackNames
    ) throws(BPFError) -> LeakSite {
        guard let stack = try reader.stack(captured.stack) else { return LeakSite() }
        return LeakSite(
            frames: names.frames(stack.frames),
            kernel: stack.kind.map { KernelMemory(kind: $0, cache: caches[stack.cache]?.name) })
    }
}
