// SPDX-License-Identifier: Apache-2.0

/// What /proc/vmstat says of reclaim: the whole machine's, from the kernel itself. Reclaim at a cgroup's limit is in
/// none of `pgscan` and `pgsteal`.
public struct ReclaimVMStat: Hashable, Sendable {
    /// By the counter's name; those that the kernel has.
    private var counters: [String: UInt64] = [:]

    /// Pages that kswapd looked at, and those of them that it freed.
    public var kswapdScanned: UInt64? { counters["pgscan_kswapd"] }
    public var kswapdStolen: UInt64? { counters["pgsteal_kswapd"] }
    /// Pages that tasks looked at in direct reclaim, and those of them that they freed.
    public var directScanned: UInt64? { counters["pgscan_direct"] }
    public var directStolen: UInt64? { counters["pgsteal_direct"] }
    /// The part of what kswapd and tasks looked at that they freed (`sar -B`'s %vmeff); nil where nothing was.
    public var efficiency: Double? {
        guard let first = kswapdScanned, let second = directScanned, let stolen = kswapdStolen,
            let more = directStolen, first &+ second > 0
        else { return nil }
        return Double(stolen &+ more) / Double(first &+ second)
    }
    /// Pages read again that were evicted a short while ago.
    public var refaultedAnonymous: UInt64? { counters["workingset_refault_anon"] }
    public var refaultedFile: UInt64? { counters["workingset_refault_file"] }
    /// Direct compactions.
    public var compactions: UInt64? { counters["compact_stall"] }
    /// Tasks that the OOM killer ended.
    public var oomKills: UInt64? { counters["oom_kill"] }

    private static let names: Set<Substring> = [
        "pgscan_kswapd", "pgsteal_kswapd", "pgscan_direct", "pgsteal_direct", "workingset_refault_anon",
        "workingset_refault_file", "compact_stall", "oom_kill",
    ]

    /// Reads the file's text; what it does not say is nil.
    public init(vmstat text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, Self.names.contains(words[0]), let value = UInt64(words[1]) else { continue }
            counters[String(words[0])] = value
        }
    }

    /// The differences to an earlier reading.
    public func since(_ earlier: ReclaimVMStat) -> ReclaimVMStat {
        var result = self
        for (name, value) in counters {
            result.counters[name] = earlier.counters[name].map { value > $0 ? value - $0 : 0 }
        }
        return result
    }
}
