// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import LibBPF
internal import Reports
internal import Probes

/// One run of memleak on the kernel's own allocations.
struct KernelLeakRun: ~Copyable {
    // Destroyed in this order: the ring and the statistics before the programs.
    private var ring: RingBuffer
    private var overhead: OverheadLimit?
    var session: Session
    private let plan: KernelLeakPlan
    private var reader: KernelLeakReader
    private let names: KernelLeakNames
    private let text: MemLeakText
    private let seesAllFrees: Bool
    private var rate: UInt64
    private var hasSampled: Bool
    private var saidFull = false

    init(_ plan: KernelLeakPlan, _ report: ReportOptions) throws(Failure) {
        let names = KernelLeakNames()
        let session = try Session(plan.mode(names.symbols), report)
        let ring = try explained { () throws(BPFError) in
            try session.probes.object.ringBuffer("events")
        }
        let reader = try explained { () throws(BPFError) in
            try KernelLeakReader(session.probes.object)
        }
        let rate = plan.arguments.sampleRate.value
        let overhead = try Self.overhead(plan.arguments)
        try explained { () throws(BPFError) in try reader.setSampling(rate) }
        seesAllFrees = KernelLeakPlan.seesAllFrees(session.probes.resolution)
        self.ring = ring
        self.overhead = overhead
        self.session = session
        self.plan = plan
        self.reader = reader
        self.names = names
        self.rate = rate
        hasSampled = rate > 1
        text = MemLeakText(
            top: plan.arguments.top.value, showsAddresses: !plan.arguments.combinedOnly)
    }

    private static func overhead(_ arguments: MemLeakArguments) throws(Failure) -> OverheadLimit? {
        guard let limit = arguments.maxOverhead else { return nil }
        return try explained { () throws(BPFError) in
            try OverheadLimit(percent: limit.value, rate: arguments.sampleRate.value)
        }
    }

    /// Traces until the end.
    mutating func trace() throws(Failure) {
        var left = plan.arguments.interval.count?.value
        var loop = try EventLoop(
            interval: plan.arguments.interval.interval?.value ?? 5,
            duration: session.options.duration?.value)
        if plan.arguments.trace { try loop.watchRecords(ring.descriptor) }
        if overhead != nil { try loop.wake(after: Self.overheadInterval) }
        guard try session.begin(MemLeakText.attaching(to: "kernel allocators")) else { return }
        while true {
            let wakeup = try loop.next()
            if plan.arguments.trace { try takeIn() }
            switch wakeup {
            case .outputClosed: return
            case .records, .childChanged, .keys, .resized: break
            case .alarm:
                try limitOverhead()
                try loop.wake(after: Self.overheadInterval)
            case .tick:
                if plan.arguments.trace {
                    try announceLosses()
                } else {
                    try report()
                }
                left = left.map { $0 - 1 }
            case .reportWanted: try report()
            case .stop:
                try report()
                _ = try session.output.flush()
                return
            }
            guard try session.output.flush(), left != 0 else { return }
        }
    }

    private mutating func takeIn() throws(Failure) {
        var calls: [MemLeakCall] = []
        _ = try explained { () throws(BPFError) in
            try ring.consume { span in
                if case .traced(let call)? = MemLeakEvent(span) { calls.append(call) }
            }
        }
        for call in calls {
            if session.options.json {
                session.output.print(call.json)
            } else {
                session.output.print(call.text)
            }
        }
    }

    // MARK: what the programs cost

    /// Seconds between looks at it.
    private static let overheadInterval = 1.0

    private mutating func limitOverhead() throws(Failure) {
        var run: UInt64 = 0
        for program in session.probes.resolution.programs {
            run &+= try explained { () throws(BPFError) in
                try session.probes.object.program(program).info().runTimeNanoseconds
            }
        }
        guard overhead?.update(run: run) == true, let rate = overhead?.rate, let share = overhead?.share
        else { return }
        let (reader, before) = (reader, self.rate)
        try explained { () throws(BPFError) in try reader.setSampling(rate) }
        self.rate = rate
        if rate > 1 { hasSampled = true }
        let percent = (share * 10_000).rounded() / 100
        if session.options.json {
            var line = JSONLine(type: "memleak_sampling")
            line.add("time", WallTime.now.rfc3339)
            line.add("overhead_percent", percent)
            line.add("sample_rate", rate)
            session.output.print(line)
        } else {
            note(
                "the programs took \(percent) % of the CPUs' time: "
                    + (rate > before ? "from now on" : "again")
                    + " 1 allocation in \(rate) is recorded (--max-overhead)")
        }
    }

    // MARK: reports

    private mutating func report() throws(Failure) {
        let now = monotonicNow()
        let age = plan.arguments.older.value * 1_000_000
        var table = OutstandingTable(
            youngest: now > age ? now - age : 0, keepsBlocks: plan.arguments.showAllocs)
        let (reader, combined, hasSampled) = (reader, plan.arguments.combinedOnly, hasSampled)
        let (counted, caches) = try explained { () throws(BPFError) in
            if combined {
                try reader.addTotals(to: &table, isEstimated: hasSampled)
            } else {
                try reader.addBlocks(to: &table)
            }
            return (try reader.readCounters(), try reader.readCaches())
        }
        names.refresh()
        let top = table.top(plan.arguments.top.value, by: plan.arguments.sort.order)
        let stacks = try stacks(top, caches)
        let counters = counted.shared
        var kernel = counted.kernel
        kernel.seesBulk = seesAllFrees
        kernel.unseenCaches = Set(caches.values.filter { $0.unseenFrees > 0 }.map(\.name)).sorted()
        do throws(BPFError) {
            try self.reader.makeRoom(counters)
        } catch {
            throw Failure(error)
        }
        let report = MemLeakReport(
            time: .now, monotonic: now, stacks: stacks, total: table.total,
            siteCount: table.sites.count, blocks: table.blocks, counters: counters,
            losses: try session.losses(), sampleRate: rate, kernel: kernel)
        if session.options.json {
            for line in MemLeakJSON.lines(report) { session.output.print(line) }
        } else {
            for line in text.lines(report) + text.accounting(report) { session.output.print(line) }
        }
        try announceLosses()
        try session.showLosses()
    }

    private mutating func stacks(
        _ top: [(site: AllocationSite, sum: OutstandingSum)],
        _ caches: [UInt64: KernelCache]
    ) throws(Failure) -> [MemLeakStack] {
        var stacks: [MemLeakStack] = []
        for (site, sum) in top {
            var stack: CapturedKernelStack?
            do throws(BPFError) {
                stack = try reader.stack(site.stack)
            } catch {
                throw Failure(error)
            }
            let cache = stack.flatMap { caches[$0.cache] }
            stacks.append(
                MemLeakStack(
                    pid: nil, sum: sum, frames: stack.map { names.frames($0.frames) },
                    kernel: stack?.kind.map { kind in
                        KernelMemory(
                            kind: kind, cache: cache?.name,
                            falseLeaksPossible: (cache?.unseenFrees ?? 0) > 0)
                    }))
        }
        return stacks
    }

    /// A full map is told once, at once.
    private mutating func announceLosses() throws(Failure) {
        let lost = try session.losses().mapFull
        guard lost > 0, !saidFull else { return }
        saidFull = true
        note(
            "allocations are not recorded any more: the map of outstanding ones is full; --max-allocations makes it larger"
        )
    }
}
