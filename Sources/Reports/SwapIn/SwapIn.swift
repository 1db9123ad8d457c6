// SPDX-License-Identifier: Apache-2.0
public import TraceRecords

/// One process's counters since it was first seen, summed over the CPUs.
public struct SwapInCounters: Hashable, Sendable {
    public var pages: UInt64 = 0
    public var zswapPages: UInt64 = 0
    public var zeroPages: UInt64 = 0
    public var askedFaults: UInt64 = 0
    public var swapoutPages: UInt64 = 0
    public var waits: UInt64 = 0
    public var waitNanoseconds: UInt64 = 0
    /// Within the epoch that was asked for.
    public var longestNanoseconds: UInt64 = 0
    public var comm = ""
    /// kernfs id of its memory cgroup, 0 unknown.
    public var cgroup: UInt64 = 0
    /// CLOCK_MONOTONIC of its last event.
    public var seen: UInt64 = 0

    public init() {}

    /// - Parameter epoch: the interval whose longest wait is wanted.
    public init(records: [swapin_counters], epoch: UInt32) {
        for record in records {
            pages &+= record.pages
            zswapPages &+= record.zswap_pages
            zeroPages &+= record.zero_pages
            askedFaults &+= record.asked_faults
            swapoutPages &+= record.swapout_pages
            waits &+= record.waits
            waitNanoseconds &+= record.wait_ns
            let (stamp, longest) =
                epoch & 1 == 0 ? (record.epoch.0, record.longest_ns.0) : (record.epoch.1, record.longest_ns.1)
            if stamp == epoch { longestNanoseconds = max(longestNanoseconds, longest) }
            if record.seen_ns > seen {
                seen = record.seen_ns
                comm = fixedText(record.comm)
                cgroup = record.cgroup
            }
        }
    }

    /// What was added since an earlier reading; name, cgroup and longest wait are this one's.
    public func since(_ earlier: SwapInCounters) -> SwapInCounters {
        var result = self
        result.pages &-= earlier.pages
        result.zswapPages &-= earlier.zswapPages
        result.zeroPages &-= earlier.zeroPages
        result.askedFaults &-= earlier.askedFaults
        result.swapoutPages &-= earlier.swapoutPages
        result.waits &-= earlier.waits
        result.waitNanoseconds &-= earlier.waitNanoseconds
        return result
    }

    public var isIdle: Bool { pages == 0 && swapoutPages == 0 && waits == 0 && askedFaults == 0 }
}

/// Which parts of a report the probes in place can tell.
public struct SwapInKnown: Hashable, Sendable {
    /// How many pages zswap had, and how many were zero-filled.
    public var sources: Bool
    /// Which pages a fault asked for.
    public var asked: Bool
    public var waits: Bool
    public var swapouts: Bool

    public init(sources: Bool, asked: Bool, waits: Bool, swapouts: Bool) {
        (self.sources, self.asked, self.waits, self.swapouts) = (sources, asked, waits, swapouts)
    }
}

/// One row: a process, or all of a cgroup. Pages are of 4 KiB; what can't be told is nil.
public struct SwapInRow: Hashable, Sendable {
    /// nil in a row of a cgroup.
    public var pid: UInt32?
    public var comm: String?
    public var cgroup: CgroupPath?
    public var processes = 1
    /// All that came from swap, whatever kind of it.
    public var pages: UInt64
    /// Of `pages`, those that no fault asked for.
    public var readaheadPages: UInt64?
    public var diskPages: UInt64?
    public var zramPages: UInt64?
    public var zswapPages: UInt64?
    public var zeroPages: UInt64?
    public var swapoutPages: UInt64?
    public var waits: UInt64?
    public var waitNanoseconds: UInt64?
    public var longestNanoseconds: UInt64?

    public init(
        pid: UInt32?, counters: SwapInCounters, cgroup: CgroupPath?, known: SwapInKnown,
        devices: SwapDevices
    ) {
        self.pid = pid
        comm = counters.comm
        self.cgroup = cgroup
        pages = counters.pages
        if known.asked {
            readaheadPages = pages > counters.askedFaults ? pages - counters.askedFaults : 0
        }
        if known.sources {
            zswapPages = counters.zswapPages
            zeroPages = counters.zeroPages
            let fromDevices = pages &- counters.zswapPages &- counters.zeroPages
            // with devices of both kinds in use nothing says which one a page came from
            if fromDevices == 0 {
                (diskPages, zramPages) = (0, 0)
            } else if !devices.zram {
                (diskPages, zramPages) = (fromDevices, 0)
            } else if !devices.other {
                (diskPages, zramPages) = (0, fromDevices)
            }
        }
        if known.swapouts { swapoutPages = counters.swapoutPages }
        if known.waits {
            waits = counters.waits
            waitNanoseconds = counters.waitNanoseconds
            longestNanoseconds = counters.longestNanoseconds
        }
    }

    /// Takes another process's row of the same cgroup in.
    mutating func add(_ other: SwapInRow) {
        func sum(_ a: UInt64?, _ b: UInt64?) -> UInt64? {
            guard let a, let b else { return nil }
            return a &+ b
        }
        processes += other.processes
        pages &+= other.pages
        readaheadPages = sum(readaheadPages, other.readaheadPages)
        diskPages = sum(diskPages, other.diskPages)
        zramPages = sum(zramPages, other.zramPages)
        zswapPages = sum(zswapPages, other.zswapPages)
        zeroPages = sum(zeroPages, other.zeroPages)
        swapoutPages = sum(swapoutPages, other.swapoutPages)
        waits = sum(waits, other.waits)
        waitNanoseconds = sum(waitNanoseconds, other.waitNanoseconds)
        if let a = longestNanoseconds, let b = other.longestNanoseconds { longestNanoseconds = max(a, b) }
    }

    /// One row a cgroup.
    public static func byCgroup(_ rows: [SwapInRow]) -> [SwapInRow] {
        var groups: [CgroupPath?: SwapInRow] = [:]
        for row in rows {
            if groups[row.cgroup] != nil {
                groups[row.cgroup]?.add(row)
            } else {
                var first = row
                first.pid = nil
                first.comm = nil
                groups[row.cgroup] = first
            }
        }
        return sorted(Array(groups.values))
    }

    /// bcc's order: fewest pages first, so that the worst stands next to the prompt.
    public static func sorted(_ rows: [SwapInRow]) -> [SwapInRow] {
        rows.sorted {
            ($0.pages, $0.pid ?? 0, $0.cgroup?.path ?? "") < ($1.pages, $1.pid ?? 0, $1.cgroup?.path ?? "")
        }
    }
}

/// One interval.
public struct SwapInInterval: Hashable, Sendable {
    public var time: WallTime
    public var intervalNanoseconds: UInt64
    /// Those with any swap-in, swap-out or wait in it, in order.
    public var rows: [SwapInRow]
    public var vmstat: SwapVMStat
    /// Waits in microseconds; nil where it was not asked for, or can't be told.
    public var histogram: Log2Histogram?
    public var losses: Losses

    public init(
        time: WallTime, intervalNanoseconds: UInt64, rows: [SwapInRow], vmstat: SwapVMStat,
        histogram: Log2Histogram?, losses: Losses
    ) {
        self.time = time
        self.intervalNanoseconds = intervalNanoseconds
        self.rows = rows
        self.vmstat = vmstat
        self.histogram = histogram
        self.losses = losses
    }
}
