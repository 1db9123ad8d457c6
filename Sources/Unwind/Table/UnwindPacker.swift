// SPDX-License-Identifier: Apache-2.0
internal import CUnwind
internal import TraceRecords

/// Packs rows, which come sorted by their start, into a table's words.
struct UnwindPacker {
    private static let blockWords = UnwindTable.blockWords
    private static let chunk = UnwindTable.chunkBytes
    /// A row has 16 bits for the number of its rule.
    private static let mostRules = 1 << 16
    private static let none = UInt64(UNWIND_NONE.rawValue)

    let text: Range<UInt64>
    private(set) var words: [UInt32]
    private(set) var rules: [UInt64] = []
    private(set) var rulesBlock: UInt32 = 0
    private(set) var rowCount = 0
    private(set) var overlapping: UInt64 = 0
    private(set) var unnumbered: UInt64 = 0

    private var numbers: [UInt64: UInt32] = [:]
    private var lastRule: (rule: UInt64, number: UInt32)?
    /// Chunks that are all one rule share their row.
    private var plain: [UInt32: UInt32] = [:]
    /// Where what is covered so far ends.
    private var position: UInt64
    /// The rows of the chunk at hand: places and rules.
    private var rows: [UInt32] = []
    private var chunkIndex = 0

    init(text: Range<UInt64>, _ rows: some Sequence<unwind_row>) {
        self.init(text: text, expecting: rows.underestimatedCount)
        for row in rows { add(row.start, row.end, rule: row.rule) }
        finish()
    }

    private init(text: Range<UInt64>, expecting count: Int) {
        self.text = text
        position = text.lowerBound
        let chunks = Int((text.upperBound - text.lowerBound) / Self.chunk)
        let index = (chunks + Self.blockWords - 1) / Self.blockWords * Self.blockWords
        words = []
        words.reserveCapacity(index + count + count / 8 + chunks)
        words = Array(repeating: 0, count: index)
        rules.append(Self.none)
        numbers[Self.none] = 0
        // The rest of the index leads to a chunk without rules.
        let nothing = UInt32(index)
        words.append(1)
        plain[0] = nothing
        for word in chunks..<index { words[word] = nothing }
    }

    private mutating func add(_ from: UInt64, _ to: UInt64, rule: UInt64) {
        let low = max(from, text.lowerBound)
        let high = min(to, text.upperBound)
        guard low < high else { return }
        if low < position { overlapping += 1 }
        let begin = max(low, position)
        guard begin < high else { return }
        if begin > position { cover(upTo: begin, number: 0) }
        cover(upTo: high, number: number(of: rule))
    }

    private mutating func finish() {
        cover(upTo: text.upperBound, number: 0)
        endBlock()
        rulesBlock = UInt32(words.count / Self.blockWords)
        for rule in rules {
            words.append(UInt32(truncatingIfNeeded: rule))
            words.append(UInt32(truncatingIfNeeded: rule >> 32))
        }
        endBlock()
    }

    private mutating func number(of rule: UInt64) -> UInt32 {
        if let lastRule, lastRule.rule == rule { return lastRule.number }
        let number: UInt32
        if let known = numbers[rule] {
            number = known
        } else if rules.count < Self.mostRules {
            number = UInt32(rules.count)
            rules.append(rule)
            numbers[rule] = number
        } else {
            unnumbered += 1
            return 0
        }
        lastRule = (rule, number)
        return number
    }

    private mutating func cover(upTo end: UInt64, number: UInt32) {
        while position < end {
            let offset = position - text.lowerBound
            let within = UInt32(offset % Self.chunk)
            if rows.isEmpty || rows[rows.count - 1] >> 16 != number { rows.append(within | number << 16) }
            let chunkEnd = position - UInt64(within) + Self.chunk
            position = min(end, chunkEnd)
            if position == chunkEnd { endChunk() }
        }
    }

    private mutating func endChunk() {
        defer {
            rows.removeAll(keepingCapacity: true)
            chunkIndex += 1
        }
        let number = rows[0] >> 16
        if rows.count == 1, let shared = plain[number] {
            words[chunkIndex] = shared
            return
        }
        if words.count % Self.blockWords + rows.count > Self.blockWords { endBlock() }
        words[chunkIndex] = UInt32(words.count)
        if rows.count == 1 { plain[number] = UInt32(words.count) }
        rowCount += rows.count
        rows[0] = UInt32(rows.count) | number << 16
        words.append(contentsOf: rows)
    }

    private mutating func endBlock() {
        let rest = words.count % Self.blockWords
        if rest > 0 { words.append(contentsOf: repeatElement(0, count: Self.blockWords - rest)) }
    }
}
