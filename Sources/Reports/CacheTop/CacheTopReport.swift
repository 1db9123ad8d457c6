// SPDX-License-Identifier: Apache-2.0

/// All that a cachetop report shows of one interval.
public struct CacheTopReport: Sendable {
    public let time: WallTime
    public let intervalNanoseconds: UInt64
    public let view: CacheTopView
    public let order: CacheTopOrder
    /// Sorted.
    public let rows: [CacheTopRow]
    /// The sum over all processes and files, whatever the rows show.
    public let total: PageCacheInterval
    public let unattributed: PageCacheInterval
    public let seesAccesses: Bool
    public let memory: MemoryInfo
    public let losses: Losses

    public init(
        time: WallTime, intervalNanoseconds: UInt64, view: CacheTopView, order: CacheTopOrder,
        rows: [CacheTopRow], total: PageCacheInterval, unattributed: PageCacheInterval,
        seesAccesses: Bool, memory: MemoryInfo, losses: Losses
    ) {
        self.time = time
        self.intervalNanoseconds = intervalNanoseconds
        self.view = view
        self.order = order
        self.rows = rows
        self.total = total
        self.unattributed = unattributed
        self.seesAccesses = seesAccesses
        self.memory = memory
        self.losses = losses
    }
}
