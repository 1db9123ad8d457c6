// SPDX-License-Identifier: Apache-2.0

/// One look after another at what is outstanding: what reports tell apart, and how each of it develops; in a run that
/// is going on, or in one that was recorded.
public struct LeakWatch: Sendable {
    private let run: LeakRun
    private let options: LeakViewOptions
    private var history: LeakHistory<StackKey>
    private var keys: [AllocationSite: StackKey] = [:]
    private var suppressed: Set<StackKey> = []
    private var gone: Set<UInt32> = []
    private var groups = StackGroups()

    public init(_ run: LeakRun, _ options: LeakViewOptions) {
        (self.run, self.options) = (run, options)
        history = LeakHistory(start: run.start, patience: run.patience, mayLeak: run.mayLeak)
    }

    /// How a look taken now is to sort what it finds; nil: nobody knows ages.
    public func grid(at now: UInt64) -> AgeGrid? { run.hasAges ? history.grid(at: now) : nil }

    /// Takes a look in.
    ///
    /// - Parameter site: what a captured stack is.
    /// - Throws: what `site` throws.
    public mutating func take<E: Error>(
        _ look: LeakLook, site: (AllocationSite) throws(E) -> LeakSite
    ) throws(E) {
        forgetGone()
        groups = StackGroups()
        var here: [AllocationSite: StackKey] = [:]
        for captured in look.sites {
            let key = try key(captured, site)
            here[captured] = key
            groups.add(captured, look.sums[captured] ?? OutstandingSum(), key: key)
        }
        var madeByKey: [StackKey: UInt64]?
        if let made = look.made {
            var sums: [StackKey: UInt64] = [:]
            // a stack that never had anything outstanding is no row: naming those of each short-lived process would
            // take for ever
            for (captured, count) in made {
                guard let key = here[captured] ?? keys[captured] else { continue }
                sums[key, default: 0] &+= count
            }
            madeByKey = sums
        }
        history.take(
            groups.sums, made: madeByKey, unmatched: run.seesOldFrees ? look.unmatched : nil,
            grid: history.grid(at: look.time))
    }

    /// Is it one of which `take` needs no more than is known?
    public func isKnown(_ captured: AllocationSite) -> Bool { keys[captured] != nil }

    private mutating func key<E: Error>(
        _ captured: AllocationSite, _ site: (AllocationSite) throws(E) -> LeakSite
    ) throws(E) -> StackKey {
        if let key = keys[captured] { return key }
        let stack = try site(captured)
        let key = StackKey(pid: captured.pid, id: StackID(stack.frames, by: options.granularity, salt: stack.salt))
        if let frames = stack.frames, options.suppressions?.matches(frames) == true { suppressed.insert(key) }
        if stack.isFinal { keys[captured] = key }
        return key
    }

    /// A process's memory is gone; what was known of it goes at the next look, for all such processes at once.
    public mutating func forget(_ pid: UInt32) { gone.insert(pid) }

    private mutating func forgetGone() {
        guard !gone.isEmpty else { return }
        let gone = gone
        history.forget { gone.contains($0.pid) }
        keys = keys.filter { !gone.contains($0.key.pid) }
        suppressed = suppressed.filter { !gone.contains($0.pid) }
        self.gone = []
    }

    /// All stacks of the last look, in the order asked for, and what they come to.
    public func ranked() -> (stacks: [RankedStack], summary: LeakSummary) {
        let stacks = groups.sums.filter { !suppressed.contains($0.key) }.map { key, sum in
            RankedStack(pid: key.pid, id: key.id, sum: sum, trend: history.trend(of: key))
        }
        let sorted = RankedStack.sorted(stacks, by: options.order)
        let summary = LeakSummary(
            sorted.map(\.trend), watched: history.watch, patience: run.patience, tellsLeaks: run.mayLeak,
            suppressed: groups.sums.filter { suppressed.contains($0.key) }.map(\.value))
        return (sorted, summary)
    }

    /// The captured stack whose frames stand for a group, and how many there are.
    public func member(of stack: RankedStack) -> (largest: AllocationSite, count: Int) {
        let group = groups.members[StackKey(pid: stack.pid, id: stack.id)]
        return (group?.largest ?? AllocationSite(pid: stack.pid, stack: 0), group?.count ?? 1)
    }
}
