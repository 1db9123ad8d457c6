// SPDX-License-Identifier: Apache-2.0

/// Counts by power of two: slot 0 holds the values 0 and 1, slot n those from 2ⁿ to 2ⁿ⁺¹−1.
public struct Log2Histogram: Hashable, Sendable {
    public let counts: [UInt64]

    public init(counts: [UInt64]) { self.counts = counts }

    /// The counts since an earlier reading.
    public func since(_ earlier: Log2Histogram) -> Log2Histogram {
        Log2Histogram(
            counts: counts.indices.map { slot in
                counts[slot] &- (earlier.counts.indices.contains(slot) ? earlier.counts[slot] : 0)
            })
    }

    /// The slots up to the last that is not empty.
    private var used: ArraySlice<UInt64> {
        counts[...(counts.lastIndex { $0 > 0 } ?? -1)]
    }

    /// The values of a slot, first and last.
    static func range(_ slot: Int) -> (UInt64, UInt64) {
        slot == 0 ? (0, 1) : (1 << UInt64(slot), (1 << UInt64(slot + 1)) &- 1)
    }

    /// The rows that BPF tools draw; none where nothing was counted.
    public func lines(unit: String) -> [String] {
        let used = used
        guard let most = used.max() else { return [] }
        // ranges past ten digits make every row wider, and the bar half as long
        let wide = used.count > 32
        let (number, bar) = wide ? (20, 20) : (10, 40)
        var lines = [
            String(repeating: " ", count: wide ? 15 : 5) + unit.left(wide ? 29 : 19)
                + " : count     distribution"
        ]
        for (slot, count) in used.enumerated() {
            let (low, high) = Self.range(slot)
            // a whole bar for the most frequent, one star less than the share for the others
            let stars = Int((Double(bar) * Double(count) / Double(most)).rounded(.up))
            lines.append(
                String(low).right(number) + " -> " + String(high).left(number) + " : "
                    + String(count).left(8) + " |"
                    + String(repeating: "*", count: min(max(stars - (count == most ? 0 : 1), 0), bar))
                    .left(bar) + "|")
        }
        return lines
    }

    /// One object a slot, up to the last that is not empty.
    public func json(unit: String) -> [JSONLine] {
        used.enumerated().map { slot, count in
            let (low, high) = Self.range(slot)
            var line = JSONLine()
            line.add("from_\(unit)", low)
            line.add("to_\(unit)", high)
            line.add("count", count)
            return line
        }
    }
}
