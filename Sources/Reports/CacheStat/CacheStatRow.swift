// SPDX-License-Identifier: Apache-2.0

/// One row of cachestat.
public struct CacheStatRow: Hashable, Sendable {
    public let time: WallTime
    public let intervalNanoseconds: UInt64
    public let pages: PageCacheInterval
    /// What became of pages read ahead; nil where that was not asked for, or is not known.
    public let readahead: ReadaheadUse?
    public let sees: Sight
    public let memory: MemoryInfo
    /// What the kernel counted meanwhile, on the whole machine.
    public let vmstat: VMStat
    /// Where that contradicts `pages`; nil where they don't compare, for only some
    /// tasks are looked at.
    public let contradictions: [String]?
    public let losses: Losses

    /// What this kernel lets be seen.
    public struct Sight: Hashable, Sendable {
        /// Accesses: hits and ratios are known only then.
        public var accesses: Bool
        public var evictions: Bool

        public init(accesses: Bool = true, evictions: Bool = true) {
            self.accesses = accesses
            self.evictions = evictions
        }
    }

    public init(
        time: WallTime, intervalNanoseconds: UInt64, pages: PageCacheInterval,
        readahead: ReadaheadUse? = nil, sees: Sight = Sight(), memory: MemoryInfo, vmstat: VMStat = VMStat(),
        contradictions: [String]? = nil, losses: Losses
    ) {
        self.time = time
        self.intervalNanoseconds = intervalNanoseconds
        self.pages = pages
        self.readahead = readahead
        self.sees = sees
        self.memory = memory
        self.vmstat = vmstat
        self.contradictions = contradictions
        self.losses = losses
    }
}
