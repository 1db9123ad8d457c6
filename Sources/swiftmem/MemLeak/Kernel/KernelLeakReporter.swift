// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import LibBPF
internal import Probes
internal import Reports

/// Adds up what is outstanding of the kernel's memory, and makes a report of it.
struct KernelLeakReporter {
    private let plan: KernelLeakPlan
    private let names: KernelLeakNames
    private let text: MemLeakText
    private let seesAllFrees: Bool
    private var reader: KernelLeakReader
    private var watch: LeakWatch
    private(set) var files: LeakFiles
    /// The slab caches at the start.
    private let slabs = SlabCaches()
    /// One allocation in so many is recorded now.
    private(set) var rate: UInt64
    private var hasSampled: Bool

    /// - Throws: `BPFError` where the object has no such maps.
    init(
        _ plan: KernelLeakPlan, _ names: KernelLeakNames, _ files: LeakFiles, _ session: borrowing Session
    ) throws(BPFError) {
        self.files = files
        self.plan = plan
        self.names = names
        text = MemLeakText(top: plan.settings.top, showsAddresses: !plan.settings.combinedOnly)
        seesAllFrees = KernelLeakPlan.seesAllFrees(session.probes.resolution)
        reader = try KernelLeakReader(session.probes.object)
        // the kernel keeps caches until memory is short: growth alone proves no leak
        watch = LeakWatch(plan.settings, mayLeak: false)
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
        let (ranked, summary) = watch.ranked()
        let stacks = try stacks(
            files.isEmpty ? ranked.prefix(plan.settings.top) : ranked[...], caches,
            doubtful: Set(kernel.doubtful.map(\.cache)))
        if !files.isEmpty {
            files.take(
                LeakProfile(
                    stacks: stacks, time: .now, watched: UInt64(summary.watched * 1e9), target: "the kernel"))
        }
        kernel.seesBulk = seesAllFrees
        kernel.unseenCaches = Set(caches.values.filter { $0.unseenFrees > 0 }.map(\.name)).sorted()
        try reader.makeRoom(counters)
        let report = MemLeakReport(
            time: .now, monotonic: now, stacks: Array(stacks.prefix(plan.settings.top)), total: table.total,
            siteCount: ranked.count, blocks: table.blocks, counters: counters,
            losses: losses, sampleRate: rate, kernel: kernel, younger: table.younger,
            minimumAge: plan.settings.minimumAge, watch: summary)
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

    private mutating func stacks(
        _ ranked: some Sequence<RankedStack>, _ caches: [UInt64: KernelCache], doubtful: Set<String>
    ) throws(BPFError) -> [MemLeakStack] {
        var stacks: [MemLeakStack] = []
        for stack in ranked {
            let (site, members) = watch.member(of: stack)
            let captured = try reader.stack(site.stack)
            let cache = captured.flatMap { caches[$0.cache] }
            stacks.append(
                MemLeakStack(
                    pid: nil, id: stack.id, sum: stack.sum, trend: stack.trend, members: members,
                    frames: captured.map { names.frames($0.frames) },
                    kernel: captured?.kind.map { kind in
                        KernelMemory(
                            kind: kind, cache: cache?.name,
                            falseLeaksPossible: cache.map { $0.unseenFrees > 0 || doubtful.contains($0.name) } ?? false)
                    }))
        }
        return stacks
    }

    // MARK: looks between reports

    /// Seconds to the next look.
    var lookDelay: Double { watch.delay(at: monotonicNow()) }

    /// Takes a look where one is due.
    ///
    /// - Throws: `BPFError` where the maps can't be read.
    mutating func lookIfDue() throws(BPFError) {
        let now = monotonicNow()
        if watch.isDue(now) { _ = try look(at: now, keepsBlocks: false) }
    }

    private mutating func look(
        at now: UInt64, keepsBlocks: Bool
    ) throws(BPFError) -> (table: OutstandingTable, counters: MemLeakCounters, kernel: KernelLeakCounters) {
        var table = OutstandingTable(
            youngest: plan.settings.youngest(at: now), keepsBlocks: keepsBlocks, grid: watch.grid(at: now))
        if plan.settings.combinedOnly {
            try reader.addTotals(to: &table, isEstimated: hasSampled)
        } else {
            try reader.addBlocks(to: &table)
        }
        let (counters, kernel) = try reader.readCounters()
        names.refresh()
        let caches = try reader.readCaches()
        // a value of its own, for both belong to self
        var (watch, reader) = (watch, reader)
        let names = names
        try watch.take(table, made: nil, counters: counters, at: now) { (site) throws(BPFError) in
            guard let stack = try reader.stack(site.stack) else { return LeakWatch.Named() }
            let cache = caches[stack.cache]?.name ?? ""
            return LeakWatch.Named(
                frames: names.frames(stack.frames), salt: (stack.kind?.rawValue ?? "") + " " + cache)
        }
        (self.watch, self.reader) = (watch, reader)
        return (table, counters, kernel)
    }
}
