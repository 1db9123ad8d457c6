// SPDX-License-Identifier: Apache-2.0

/// The last reading of every task's counters: an interval is what the next one adds.
public struct MemStallLedger: Sendable {
    private var last: [MemStallKey: MemStallCounters]

    public init(from reading: [MemStallKey: MemStallCounters]) { last = reading }

    /// Those of the last reading.
    public var keys: [MemStallKey] { Array(last.keys) }

    /// Ends an interval.
    ///
    /// - Parameter reading: what has ended by now, and what goes on.
    /// - Returns: what it adds, by task and cause.
    public mutating func advance(
        to reading: [MemStallKey: MemStallCounters]
    ) -> [(key: MemStallKey, counters: MemStallCounters)] {
        var added: [(key: MemStallKey, counters: MemStallCounters)] = []
        var next: [MemStallKey: MemStallCounters] = [:]
        for (key, counters) in reading {
            let before = last[key]
            next[key] = before.map(counters.highest) ?? counters
            let growth = before.map(counters.since) ?? counters
            if !growth.isIdle { added.append((key, growth)) }
        }
        last = next
        return added
    }

    /// A task that is gone, whose counters were removed.
    public mutating func forget(_ key: MemStallKey) { last[key] = nil }
}
