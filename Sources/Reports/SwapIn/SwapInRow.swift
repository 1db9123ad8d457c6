// SPDX-License-Identifier: Apache-2.0

/// One row: a process, or all of a cgroup. Pages are the kernel's; what is not known is nil.
public struct SwapInRow: Hashable, Sendable {
    /// nil in a row of a cgroup.
    public var pid: UInt32?
    public var comm: String?
    public var cgroup: CgroupPath?
    public var processes = 1
    /// All that came from swap, whatever kind of it.
    public var pages: UInt64
    /// The part of `pages` that no fault asked for.
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
