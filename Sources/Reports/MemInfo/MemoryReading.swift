// SPDX-License-Identifier: Apache-2.0

/// All that a ledger is made of, read at one moment.
public struct MemoryReading: Sendable {
    public var time: WallTime
    /// CLOCK_MONOTONIC, in nanoseconds.
    public var monotonic: UInt64
    public var meminfo: MeminfoFields
    public var zones: ZoneInfo
    public var hugePools: [HugePagePool]
    public var shared: SharedMemory
    public var machine: MachineFacts
    /// Pages that a balloon took, by /proc/vmstat's counts of them; nil where the kernel does not count them.
    public var balloonPages: UInt64?
    /// What no counter of the kernel's has and its iterators tell; a part that is missing is not known.
    public var heldPages = HeldPages()
    /// The kernel has just folded what CPUs keep to themselves into its counters.
    public var isExact: Bool

    public init(
        time: WallTime, monotonic: UInt64, meminfo: MeminfoFields, zones: ZoneInfo, hugePools: [HugePagePool] = [],
        shared: SharedMemory = SharedMemory(), machine: MachineFacts, balloonPages: UInt64? = nil,
        isExact: Bool = false
    ) {
        (self.time, self.monotonic, self.meminfo, self.zones) = (time, monotonic, meminfo, zones)
        (self.hugePools, self.shared, self.machine) = (hugePools, shared, machine)
        (self.balloonPages, self.isExact) = (balloonPages, isExact)
    }
}

/// What does not change while a machine runs.
public struct MachineFacts: Hashable, Sendable {
    public var pageBytes: UInt64
    /// Kernel stacks lie in vmalloc's memory (CONFIG_VMAP_STACK), whose counter has them too.
    public var stacksInVmalloc: Bool
    /// The part of the per-CPU memory that was set aside before the kernel counted its memory; nil: not known.
    public var firstPerCPUBytes: UInt64?
    /// zswap keeps its pages in zsmalloc, which counts them.
    public var zswapInZsmalloc: Bool
    /// What a balloon takes stays part of MemTotal.
    public var balloonInTotal: Bool

    public init(
        pageBytes: UInt64, stacksInVmalloc: Bool = true, firstPerCPUBytes: UInt64? = nil,
        zswapInZsmalloc: Bool = true, balloonInTotal: Bool = false
    ) {
        (self.pageBytes, self.stacksInVmalloc, self.firstPerCPUBytes) = (pageBytes, stacksInVmalloc, firstPerCPUBytes)
        (self.zswapInZsmalloc, self.balloonInTotal) = (zswapInZsmalloc, balloonInTotal)
    }
}
