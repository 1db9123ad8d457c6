// SPDX-License-Identifier: Apache-2.0
package import TraceRecords

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
    package init(records: [swapin_counters], epoch: UInt32) {
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
        // another CPU's part, counted before (BPF/lib/rss_follow.h)
        result.pages = UInt64(max(0, Int64(bitPattern: pages &- earlier.pages)))
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
