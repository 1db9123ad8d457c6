// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Reports
internal import SystemLayer

/// One look after another at what is outstanding: what reports tell apart, and how each of it develops.
struct LeakWatch {
    /// What a captured stack is, for its id.
    struct Named {
        var frames: [MemLeakFrame]?
        /// What tells stacks of the same frames apart.
        var salt = ""
    }

    private let settings: MemLeakSettings
    private let mayLeak: Bool
    private var history: LeakHistory<StackKey>
    private var keys: [AllocationSite: StackKey] = [:]
    private var suppressed: Set<StackKey> = []
    private var gone: Set<UInt32> = []
    private(set) var groups = StackGroups()
    /// When the next look is due between reports.
    private var nextLook: UInt64

    /// Seconds between looks, where reports are further apart.
    static let interval = 5.0

    /// - Parameter mayLeak: false where growth proves no leak, however long it goes on.
    init(_ settings: MemLeakSettings, mayLeak: Bool) {
        self.settings = settings
        self.mayLeak = mayLeak && !settings.combinedOnly
        let now = monotonicNow()
        history = LeakHistory(start: now, patience: settings.patience, mayLeak: self.mayLeak)
        nextLook = now + UInt64(Self.delay(settings) * 1e9)
    }

    private static func delay(_ settings: MemLeakSettings) -> Double { min(interval, max(0.1, settings.patience / 9)) }

    /// How a look taken now is to sort what it finds; nil: nobody knows ages.
    func grid(at now: UInt64) -> AgeGrid? { settings.combinedOnly ? nil : history.grid(at: now) }

    /// Seconds to the next look.
    func delay(at now: UInt64) -> Double { nextLook > now ? Double(nextLook - now) / 1e9 : 0 }

    func isDue(_ now: UInt64) -> Bool { now >= nextLook }

    /// Takes a look in.
    ///
    /// - Parameters:
    ///   - made: how many were recorded since the start, by captured stack; nil: not known.
    ///   - named: a captured stack's frames.
    /// - Throws: what `named` throws.
    mutating func take(
        _ table: OutstandingTable, made: [AllocationSite: UInt64]?, counters: MemLeakCounters, at now: UInt64,
        named: (AllocationSite) throws(BPFError) -> Named
    ) throws(BPFError) {
        forgetGone()
        groups = StackGroups()
        var here: [AllocationSite: StackKey] = [:]
        for (site, sum) in table.sites {
            let key = try key(site, named)
            here[site] = key
            groups.add(site, sum, key: key)
        }
        var madeByKey: [StackKey: UInt64]?
        if let made {
            var sums: [StackKey: UInt64] = [:]
            // a stack that never had anything outstanding is no row: naming those of each short-lived process would
            // take for ever
            for (site, count) in made {
                guard let key = here[site] ?? keys[site] else { continue }
                sums[key, default: 0] += count
            }
            madeByKey = sums
        }
        history.take(
            groups.sums, made: madeByKey, unmatched: settings.seesOldFrees ? counters.unmatchedFrees : nil,
            grid: history.grid(at: now))
        // a twentieth of the time at most
        let cost = monotonicNow() - min(now, monotonicNow())
        nextLook = now + max(UInt64(Self.delay(settings) * 1e9), cost * 20)
    }

    private mutating func key(
        _ site: AllocationSite, _ named: (AllocationSite) throws(BPFError) -> Named
    ) throws(BPFError) -> StackKey {
        if let key = keys[site] { return key }
        let stack = try named(site)
        let key = StackKey(pid: site.pid, id: StackID(stack.frames, by: settings.granularity, salt: stack.salt))
        if let frames = stack.frames, settings.suppressions?.matches(frames) == true { suppressed.insert(key) }
        // a frame in nothing known may have a name at the next look
        let isFinal = stack.frames?.allSatisfy { $0.symbol != nil || $0.module != nil } ?? false
        if isFinal { keys[site] = key }
        return key
    }

    /// A process's memory is gone; what was known of it goes at the next look, for all such processes at once.
    mutating func forget(_ pid: UInt32) { gone.insert(pid) }

    private mutating func forgetGone() {
        guard !gone.isEmpty else { return }
        let gone = gone
        history.forget { gone.contains($0.pid) }
        keys = keys.filter { !gone.contains($0.key.pid) }
        suppressed = suppressed.filter { !gone.contains($0.pid) }
        self.gone = []
    }

    /// All stacks of the last look, in the order asked for, and what they come to.
    func ranked() -> (stacks: [RankedStack], summary: LeakSummary) {
        let stacks = groups.sums.filter { !suppressed.contains($0.key) }.map { key, sum in
            RankedStack(pid: key.pid, id: key.id, sum: sum, trend: history.trend(of: key))
        }
        let summary = LeakSummary(
            stacks.map(\.trend), watched: history.watch, patience: settings.patience, tellsLeaks: mayLeak,
            suppressed: groups.sums.filter { suppressed.contains($0.key) }.map(\.value))
        return (RankedStack.sorted(stacks, by: settings.order), summary)
    }

    /// The captured stack whose frames stand for a group, and how many there are.
    func member(of stack: RankedStack) -> (largest: AllocationSite, count: Int) {
        let group = groups.members[StackKey(pid: stack.pid, id: stack.id)]
        return (group?.largest ?? AllocationSite(pid: stack.pid, stack: 0), group?.count ?? 1)
    }
}
