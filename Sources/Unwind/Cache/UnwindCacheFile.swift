// SPDX-License-Identifier: Apache-2.0
internal import SystemLayer

extension UnwindCache {
    /// What stands before a table's words.
    struct Header {
        static let bytes = MemoryLayout<Header>.size
        var magic: UInt64 = 0
        var version: UInt64 = 0
        var key: UInt64 = 0
        var checksum: UInt64 = 0
        var start: UInt64 = 0
        var length: UInt64 = 0
        var rulesBlock: UInt64 = 0
        var rules: UInt64 = 0
        var rows: UInt64 = 0
        var unreadable: UInt64 = 0
        var overlapping: UInt64 = 0
        var unnumbered: UInt64 = 0

        init() {}

        init(_ table: UnwindTable) {
            start = table.start
            length = table.length
            rulesBlock = UInt64(table.rulesBlock)
            rules = UInt64(table.ruleCount)
            rows = UInt64(table.rowCount)
            unreadable = table.flaws.unreadable
            overlapping = table.flaws.overlapping
            unnumbered = table.flaws.unnumbered
        }

        /// Over all but itself.
        func sum(_ words: [UInt32]) -> UInt64 {
            let own = [
                magic, version, key, start, length, rulesBlock, rules, rows, unreadable, overlapping, unnumbered,
            ]
            let first = UnwindCache.checksum(own, from: UInt64(words.count))
            return words.withUnsafeBufferPointer { words in
                var sum = first
                for word in words {
                    sum = (sum ^ UInt64(word)) &* 0x9e37_79b9_7f4a_7c15
                    sum ^= sum >> 32
                }
                return sum
            }
        }
    }

    /// Against damage, not against malice: owners and modes keep others out.
    static func checksum(_ words: some Sequence<UInt64>, from seed: UInt64 = magic) -> UInt64 {
        var sum = seed
        for word in words {
            sum = (sum ^ word) &* 0x9e37_79b9_7f4a_7c15
            sum ^= sum >> 32
        }
        return sum
    }
}

extension UnwindTable {
    /// As it was kept; nil where the parts don't fit each other.
    init?(_ kept: UnwindCache.Header, _ words: [UInt32]) {
        let blocks = words.count / Self.blockWords
        guard words.count % Self.blockWords == 0, kept.start & 4095 == 0, kept.start < 1 << 63,
            kept.length > 0, kept.length <= Self.longestText, kept.rulesBlock < UInt64(blocks),
            kept.rules <= UInt64((blocks - Int(kept.rulesBlock)) * Self.blockWords / 2),
            kept.length / Self.chunkBytes < kept.rulesBlock * UInt64(Self.blockWords),
            let rows = Int(exactly: kept.rows)
        else { return nil }
        start = kept.start
        length = kept.length
        self.words = words
        rulesBlock = UInt32(kept.rulesBlock)
        ruleCount = Int(kept.rules)
        rowCount = rows
        flaws = Flaws(unreadable: kept.unreadable, overlapping: kept.overlapping, unnumbered: kept.unnumbered)
    }
}
