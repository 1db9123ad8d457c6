// SPDX-License-Identifier: Apache-2.0
package import TraceRecords

/// What the kernel's own threads did on a node: kswapd, which frees pages before somebody has to wait, and kcompactd.
public struct ReclaimNode: Hashable, Sendable {
    public var node: UInt32
    /// Wakings, and rounds without a sleep between them; nil: they are not seen.
    public var kswapdRounds: UInt64?
    /// Nanoseconds of its work, as `take` has it; nil where not all tasks' rows are seen.
    public var kswapdNanoseconds: UInt64?
    /// The largest order that was wanted of it; nil: it did not wake.
    public var order: Int?
    /// nil: they are not seen.
    public var kcompactdRounds: UInt64?
    /// nil: it is not seen.
    public var kcompactdNanoseconds: UInt64?
    private var orders: [UInt64] = []

    /// - Parameters:
    ///   - now: since the machine started, in nanoseconds.
    ///   - seesKswapd: its wakings are seen, and when it sleeps.
    ///   - seesKcompactd: the same of kcompactd.
    package init(
        _ record: memstall_node, node: UInt32, at now: UInt64, seesKswapd: Bool = true, seesKcompactd: Bool = true
    ) {
        func goesOn(_ since: UInt64) -> UInt64 { since > 0 && now > since ? now - since : 0 }
        self.node = node
        if seesKcompactd {
            kcompactdRounds = record.kcompactd_rounds
            kcompactdNanoseconds = record.kcompactd_ns &+ goesOn(record.kcompactd_since_ns)
        }
        guard seesKswapd else { return }
        kswapdRounds = record.kswapd_rounds
        orders = fixedWords(record.orders, MEMSTALL_ORDERS)
    }

    /// What was added since an earlier reading.
    public func since(_ earlier: ReclaimNode?) -> ReclaimNode {
        func growth(_ now: UInt64?, _ then: UInt64?) -> UInt64? {
            now.map { $0 > then ?? 0 ? $0 - (then ?? 0) : 0 }
        }
        var result = self
        result.kswapdRounds = growth(kswapdRounds, earlier?.kswapdRounds)
        result.kswapdNanoseconds = nil
        result.kcompactdRounds = growth(kcompactdRounds, earlier?.kcompactdRounds)
        result.kcompactdNanoseconds = growth(kcompactdNanoseconds, earlier?.kcompactdNanoseconds)
        result.order = orders.indices.last { index in
            let before = earlier.flatMap { $0.orders.indices.contains(index) ? $0.orders[index] : nil }
            return orders[index] > before ?? 0
        }
        return result
    }

    /// Takes its kswapd's time from that thread's own rows.
    public mutating func take(_ rows: [MemStallRow]) {
        guard kswapdRounds != nil else { return }
        kswapdNanoseconds = rows.reduce(0) { sum, row in
            row.cause == .kswapd && row.comm == "kswapd\(node)" ? sum &+ row.counters.stalledNanoseconds : sum
        }
    }

    var isIdle: Bool {
        [kswapdRounds, kswapdNanoseconds, kcompactdRounds, kcompactdNanoseconds].allSatisfy { $0 ?? 0 == 0 }
    }
}

/// What a cache's shrinker did in the reclaim of tasks that were seen to stall, and of kswapd.
public struct ReclaimShrinker: Hashable, Sendable {
    /// The kernel function that shrinks it; nil where /proc/kallsyms hides its addresses.
    public var function: String?
    public var calls: UInt64 = 0
    public var totalNanoseconds: UInt64 = 0
    /// Within the epoch that was asked for.
    public var longestNanoseconds: UInt64 = 0
    /// Objects.
    public var freed: UInt64 = 0

    /// - Parameters:
    ///   - records: each CPU's.
    ///   - epoch: the interval whose longest call is wanted.
    package init(_ records: [memstall_shrinker], function: String?, epoch: UInt32) {
        self.function = function
        for record in records {
            calls &+= record.calls
            totalNanoseconds &+= record.total_ns
            freed &+= record.freed
            let (stamp, longest) =
                epoch & 1 == 0 ? (record.epoch.0, record.longest_ns.0) : (record.epoch.1, record.longest_ns.1)
            if stamp == epoch { longestNanoseconds = max(longestNanoseconds, longest) }
        }
    }

    /// What was added since an earlier reading.
    public func since(_ earlier: ReclaimShrinker?) -> ReclaimShrinker {
        guard let earlier else { return self }
        func growth(_ counter: KeyPath<ReclaimShrinker, UInt64>) -> UInt64 {
            let (now, then) = (self[keyPath: counter], earlier[keyPath: counter])
            return now > then ? now - then : 0
        }
        var result = self
        result.calls = growth(\.calls)
        result.totalNanoseconds = growth(\.totalNanoseconds)
        result.freed = growth(\.freed)
        return result
    }
}
