// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import Reports

/// memleak of the kernel's own allocations.
struct KernelLeakSource: ReportSource, ~Copyable {
    // Destroyed in this order: the ring and the statistics before the programs.
    private var ring: RingBuffer
    private var overhead: OverheadLimit?
    private let plan: KernelLeakPlan
    private var reporter: KernelLeakReporter
    private var fullMap = FullMapNotice()

    /// - Throws: `BPFError` of the ring and the maps.
    static func make(
        _ plan: KernelLeakPlan, _ names: KernelStackNames, _ overhead: consuming OverheadLimit?,
        _ files: LeakFiles, _ recorder: LeakRecorder?, _ session: borrowing Session
    ) throws -> KernelLeakSource {
        let reporter = try KernelLeakReporter(plan, names, files, recorder, session)
        let ring = try session.probes.object.ringBuffer("events")
        return KernelLeakSource(plan, reporter, ring, overhead)
    }

    // It does not throw: Swift 6.2 can't compile an initializer that does, of a noncopyable value whose fields have
    // values of their own.
    private init(
        _ plan: KernelLeakPlan, _ reporter: KernelLeakReporter, _ ring: consuming RingBuffer,
        _ overhead: consuming OverheadLimit?
    ) {
        self.plan = plan
        self.reporter = reporter
        self.ring = ring
        self.overhead = overhead
    }

    mutating func begin(_ session: inout Session, _ events: borrowing EventLoop) throws -> Bool {
        if plan.settings.trace { try events.watchRecords(ring.descriptor) }
        let begin = session.leakBegin([MemLeakText.attaching(to: "kernel allocators")])
        reporter.reports.began(begin)
        return try session.begin(begin)
    }

    mutating func takeIn(_ session: inout Session) throws {
        guard plan.settings.trace else { return }
        var calls: [MemLeakCall] = []
        try ring.consume { span in
            if case .traced(let call)? = MemLeakEvent(span) { calls.append(call) }
        }
        for call in calls { call.print(&session) }
    }

    mutating func tick(_ session: inout Session, isLast: Bool) throws {
        guard plan.settings.trace && !isLast else { return try report(&session) }
        if let words = fullMap.words(try session.losses()) { note(words) }
    }

    mutating func report(_ session: inout Session) throws {
        let losses = try session.losses()
        try reporter.report(losses: losses, &session)
        if let words = fullMap.words(losses) { note(words) }
    }

    mutating func setBaseline(_ session: inout Session) throws { try reporter.setBaseline() }

    mutating func close(_ session: inout Session, isLast: Bool) throws {
        if isLast { try reporter.finish(&session) }
    }

    // MARK: what the programs cost

    /// Seconds to the next look at it, or at what is outstanding.
    var alarmDelay: Double? {
        plan.maxOverhead == nil ? reporter.lookDelay : min(1.0, reporter.lookDelay)
    }

    mutating func alarm(_ session: inout Session) throws {
        try reporter.lookIfDue()
        var run: UInt64 = 0
        for program in session.probes.resolution.programs {
            run &+= try session.probes.object.program(program).info().runTimeNanoseconds
        }
        guard overhead?.update(run: run) == true, let rate = overhead?.rate, let share = overhead?.share,
            let isMet = overhead?.isMet
        else { return }
        let before = reporter.rate
        try reporter.setSampling(rate)
        let sampling = LeakSampling(
            time: .now, overheadPercent: (share * 10_000).rounded() / 100, rate: rate, before: before, isMet: isMet)
        reporter.reports.resampled(sampling)
        if session.options.json {
            session.output.print(sampling.json)
        } else {
            note(sampling.text)
        }
    }
}
