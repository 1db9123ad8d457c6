// SPDX-License-Identifier: Apache-2.0

/// One report.
public struct MemLeakReport: Hashable, Sendable {
    public let time: WallTime
    /// CLOCK_MONOTONIC, nanoseconds.
    public let monotonic: UInt64
    /// In the order asked for.
    public internal(set) var stacks: [MemLeakStack]
    public let total: OutstandingSum
    /// Stacks in all, shown or not.
    public internal(set) var siteCount: Int
    /// What was left out for its age.
    public let younger: OutstandingSum
    /// What was left out for it was there at the baseline; nil: there is none.
    public var baseline: OutstandingSum?
    /// Nanoseconds: what is younger was left out.
    public let minimumAge: UInt64
    public internal(set) var watch: LeakSummary
    public let blocks: [OutstandingBlock]
    public let counters: MemLeakCounters
    public let losses: Losses
    public let sampleRate: UInt64
    /// Bytes between samples on average, where allocations are sampled by their bytes.
    public let sampleBytes: UInt64?
    /// What is counted of the kernel's allocations; nil: a process's report.
    public let kernel: KernelLeakCounters?
    /// What was dropped since the start with processes that ended or called exec.
    public let gone: OutstandingSum
    /// Files that were not read, or not for everything.
    public let leftOut: FilesLeftOut

    /// A sampler in the process chose what is recorded: what it passed over, and what failed, is not known.
    public var isSampledInProcess = false

    public init(
        time: WallTime, monotonic: UInt64, stacks: [MemLeakStack] = [], total: OutstandingSum,
        siteCount: Int = 0, blocks: [OutstandingBlock], counters: MemLeakCounters, losses: Losses,
        sampleRate: UInt64, sampleBytes: UInt64? = nil, kernel: KernelLeakCounters? = nil,
        gone: OutstandingSum = OutstandingSum(), leftOut: FilesLeftOut = FilesLeftOut(),
        younger: OutstandingSum = OutstandingSum(), minimumAge: UInt64 = 0, watch: LeakSummary = LeakSummary()
    ) {
        (self.younger, self.minimumAge, self.watch) = (younger, minimumAge, watch)
        self.leftOut = leftOut
        self.gone = gone
        self.time = time
        self.monotonic = monotonic
        self.stacks = stacks
        self.total = total
        self.siteCount = siteCount
        self.blocks = blocks
        self.counters = counters
        self.losses = losses
        self.sampleRate = sampleRate
        self.sampleBytes = sampleBytes
        self.kernel = kernel
    }
}
