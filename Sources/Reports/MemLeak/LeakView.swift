// SPDX-License-Identifier: Apache-2.0

/// Makes reports of looks: the same of a run that is going on and of its recording.
public struct LeakView: Sendable {
    public private(set) var run: LeakRun
    public let options: LeakViewOptions
    public private(set) var watch: LeakWatch
    /// Stacks beyond those shown are wanted too.
    private let wantsAll: Bool
    private let text: MemLeakText
    /// What processes were called, for the peak.
    private var names: [UInt32: String] = [:]
    private var highest: LeakPeak?
    /// What was recorded until the baseline, by captured stack.
    private var madeBefore: [AllocationSite: UInt64] = [:]
    private var unmatchedBefore: UInt64 = 0
    private var lastLook: (made: [AllocationSite: UInt64]?, unmatched: UInt64?) = (nil, nil)
    /// All of the last report, where that is wanted.
    private var lastProfile: LeakProfile?
    /// The largest leak of the last report, bytes a second; nil: nothing leaks.
    public private(set) var largestLeak: Double?

    /// - Parameter wantsAll: what other tools read is wanted: all stacks, shown or not.
    public init(_ run: LeakRun, _ options: LeakViewOptions, wantsAll: Bool) {
        (self.run, self.options, self.wantsAll) = (run, options, wantsAll)
        watch = LeakWatch(run, options)
        text = MemLeakText(top: options.top, showsAddresses: run.hasAges, showsPIDs: run.hasSeveralProcesses)
    }

    /// Takes a look in.
    ///
    /// - Parameter site: what a captured stack is.
    /// - Throws: what `site` throws.
    public mutating func take<E: Error>(
        _ look: LeakLook, site: (AllocationSite) throws(E) -> LeakSite
    ) throws(E) {
        var look = look
        lastLook = (look.made, look.unmatched)
        if unmatchedBefore > 0 { look.unmatched = look.unmatched.map { $0 - min($0, unmatchedBefore) } }
        for (captured, count) in madeBefore {
            if let made = look.made?[captured] { look.made?[captured] = made - min(made, count) }
        }
        try watch.take(look, site: site)
        if options.keepsPeak { try keepPeak(look, site) }
    }

    private mutating func keepPeak<E: Error>(
        _ look: LeakLook, _ site: (AllocationSite) throws(E) -> LeakSite
    ) throws(E) {
        let (ranked, summary) = watch.ranked()
        var total = OutstandingSum()
        for stack in ranked { total.add(stack.sum) }
        guard total.bytes > highest?.total.bytes ?? 0 else { return }
        highest = LeakPeak(
            time: look.wall, monotonic: look.time, total: total, stacks: try stacks(ranked, kernel: nil, site),
            siteCount: ranked.count, watched: summary.watched)
    }

    /// The highest moment; nil: it is not kept, or nothing was outstanding.
    public var peak: LeakPeak? {
        guard var peak = highest else { return nil }
        if !run.isKernel {
            peak.stacks = peak.stacks.map { stack in stack.pid.flatMap { names[$0] }.map(stack.called) ?? stack }
        }
        return peak
    }

    /// All stacks that leak, as of the last report; none where not all are wanted.
    public var leaks: [MemLeakStack] { lastProfile?.stacks.filter { $0.trend.verdict == .leaking } ?? [] }

    /// What other tools read: the last report's, or the peak's where that is kept.
    public var profile: LeakProfile? {
        guard wantsAll, let peak else { return lastProfile }
        return profile(peak.stacks, peak.time, peak.watched)
    }

    private func profile(_ stacks: [MemLeakStack], _ time: WallTime, _ watched: Double) -> LeakProfile {
        LeakProfile(
            stacks: stacks, time: time, watched: UInt64(max(0, watched) * 1e9), target: run.target,
            showsProcesses: run.hasSeveralProcesses)
    }

    private func stacks<E: Error>(
        _ ranked: [RankedStack], kernel: KernelLeakCounters?, _ site: (AllocationSite) throws(E) -> LeakSite
    ) throws(E) -> [MemLeakStack] {
        var stacks: [MemLeakStack] = []
        for stack in wantsAll ? ranked[...] : ranked.prefix(options.top) {
            let (captured, members) = watch.member(of: stack)
            let site = try site(captured)
            stacks.append(
                MemLeakStack(
                    pid: run.isKernel ? nil : captured.pid, id: stack.id, sum: stack.sum, trend: stack.trend,
                    members: members, frames: site.frames, kernel: site.kernel.map { kernel?.judged($0) ?? $0 },
                    end: site.end))
        }
        return stacks
    }

    /// A process's memory is gone.
    public mutating func forget(_ pid: UInt32) {
        watch.forget(pid)
        if !madeBefore.isEmpty { madeBefore = madeBefore.filter { $0.key.pid != pid } }
    }

    /// What was there at the last look is left out from now on: verdicts begin anew.
    ///
    /// - Parameter time: that of the look.
    public mutating func setBaseline(at time: UInt64) {
        madeBefore = lastLook.made?.filter { watch.isKnown($0.key) } ?? [:]
        unmatchedBefore = lastLook.unmatched ?? 0
        run.start = max(run.start, time)
        watch = LeakWatch(run, options)
        highest = nil
    }

    /// A report of the last look.
    ///
    /// - Parameters:
    ///   - moment: all but the stacks and what they come to.
    ///   - comm: what a process is called; nil: not known.
    ///   - site: what a captured stack is.
    /// - Throws: what `site` throws.
    public mutating func report<E: Error>(
        _ moment: MemLeakReport, comm: (UInt32) -> String?, site: (AllocationSite) throws(E) -> LeakSite
    ) throws(E) -> MemLeakReport {
        let (ranked, summary) = watch.ranked()
        let stacks = try stacks(ranked, kernel: moment.kernel, site).map { stack in
            stack.pid.flatMap(comm).map(stack.called) ?? stack
        }
        if options.keepsPeak { for stack in stacks { if let pid = stack.pid { names[pid] = stack.comm } } }
        largestLeak = summary.largestLeak
        if wantsAll { lastProfile = profile(stacks, moment.time, summary.watched) }
        var report = moment
        report.stacks = Array(stacks.prefix(options.top))
        report.siteCount = ranked.count
        report.watch = summary
        return report
    }

    // MARK: renderings

    /// The peak's lines; none where it is not kept.
    public var peakLines: [String] { peak?.lines(text) ?? [] }

    /// The peak as JSON.
    public var peakJSON: [JSONLine] { peak?.json(top: options.top) ?? [] }

    /// The report's lines, and those about it, which go to standard error.
    ///
    /// - Parameter forPeople: what says no more than that it is too early to tell, or that nothing leaks, too.
    public func lines(_ report: MemLeakReport, forPeople: Bool) -> (lines: [String], notes: [String]) {
        var notes = text.accounting(report)
        if report.watch.leaking.stacks + report.watch.growing.stacks > 0 || forPeople { notes += report.watch.lines }
        return (text.lines(report), notes)
    }
}

extension KernelLeakCounters {
    /// What memory it is, with what is known of its cache: some of its objects may be free.
    func judged(_ memory: KernelMemory) -> KernelMemory {
        let isDoubtful = memory.cache.map { cache in
            unseenCaches.contains(cache) || doubtful.contains { $0.cache == cache }
        }
        return KernelMemory(kind: memory.kind, cache: memory.cache, falseLeaksPossible: isDoubtful ?? false)
    }
}
