// SPDX-License-Identifier: Apache-2.0

struct SwapInRow: Row {
    static let type = "swapin"
    @Known var pid: Int?
    let cgroup: String?
    let processes: Int?
    @Known var swapinPages: Int?
    @Known var zeroPages: Int?
    @Known var swapoutPages: Int?
    @Known var waits: Int?
    @Known var waitNs: Int?
    @Known var waitMaxNs: Int?
}

struct SwapInIntervalRow: Row {
    static let type = "swapin_interval"
    @Known var swapinPages: Int?
    @Known var vmstatPswpinPages: Int?
    @Known var vmstatZswpinPages: Int?
    @Known var vmstatSwpinZeroPages: Int?
    let losses: Losses

    /// By the kernel's own counters.
    var vmstatPages: Int { (vmstatPswpinPages ?? 0) + (vmstatZswpinPages ?? 0) + (vmstatSwpinZeroPages ?? 0) }
}

/// What workload-swapper did.
struct SwapperTruth: Row {
    static let type = "truth"

    struct Phase: Decodable, Sendable {
        let minflt: Int
        let majflt: Int
        let durationNs: Int
        let vmstat: Counters

        var faults: Int { minflt + majflt }
    }

    /// The growth of /proc/vmstat's counters that this kernel has.
    struct Counters: Decodable, Sendable {
        let pswpin: Int?
        let zswpin: Int?
        let swpinZero: Int?

        var pages: Int { (pswpin ?? 0) + (zswpin ?? 0) + (swpinZero ?? 0) }
    }

    let read: Phase
    let cgroupDirectory: String?
    let swappedBeforeReadPages: Int?
    let swappedAfterReadPages: Int?
}

/// Pages that fixture together has swapped out.
struct TogetherRow: Row {
    static let type = "together"
    let pages: Int
}
