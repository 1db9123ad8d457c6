// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords
internal import Symbols
internal import CUnwind
internal import Glibc

/// Two sorted sequences as one; of equal elements `a`'s come first.
private struct Merged: Sequence, IteratorProtocol {
    let a: UnsafeMutableBufferPointer<cunwind_cfi_row>
    let b: [cunwind_cfi_row]
    private var (i, j) = (0, 0)

    init(_ a: UnsafeMutableBufferPointer<cunwind_cfi_row>, _ b: [cunwind_cfi_row]) { (self.a, self.b) = (a, b) }

    mutating func next() -> cunwind_cfi_row? {
        if i < a.count, j == b.count || a[i].start <= b[j].start {
            i += 1
            return a[i - 1]
        }
        guard j < b.count else { return nil }
        j += 1
        return b[j - 1]
    }
}

/// A file's call-frame information as the kernel's unwinder reads it (TraceRecords/unwind_table.h).
///
/// Positions are byte distances from `start`, which is where the file's first executable page was linked to.
public struct UnwindTable: Equatable, Sendable {
    /// What can be wrong with a file's information; none of it is fatal.
    public struct Flaws: Hashable, Sendable {
        /// Entries, or parts of them, that make no sense.
        public var unreadable: UInt64 = 0
        /// Rows that spoke of code an earlier entry had spoken of; the earlier one holds.
        public var overlapping: UInt64 = 0
        /// Rows whose rule found no room among the table's 65536.
        public var unnumbered: UInt64 = 0
    }

    /// As linked; a multiple of the page size.
    public let start: UInt64
    /// Bytes of text covered.
    public let length: UInt64
    /// Blocks of `UNWIND_BLOCK_WORDS` words, one after another.
    public let words: [UInt32]
    /// The block where rules begin.
    public let rulesBlock: UInt32
    public let ruleCount: Int
    public let rowCount: Int
    public let flaws: Flaws

    public var blockCount: Int { words.count / Self.blockWords }
    public var byteCount: Int { words.count * 4 }

    static let blockWords = Int(UNWIND_BLOCK_WORDS)
    static let chunkBytes = UInt64(UNWIND_CHUNK_BYTES)
    /// Text that spans more isn't covered: an index of it would be larger than any real program's.
    static let longestText: UInt64 = 1 << 30
    /// For one file.
    static let milliseconds: UInt32 = 20_000

    /// From a file's `.eh_frame`, or its `.debug_frame` where only that exists.
    ///
    /// Throws `.noUnwindInformation`, also where it is too much or for another kind of machine.
    init(_ file: borrowing ELFFile, _ image: ELFImage) throws(SymbolError) {
        guard let text = Self.text(image) else { throw .noUnwindInformation(path: file.path.description) }
        var raw = cunwind_cfi()
        let status = cunwind_cfi_rows(file.elf, file.descriptor, Self.milliseconds, &raw)
        defer { free(raw.rows) }
        guard status == CUNWIND_CFI_OK, raw.count > 0, let rows = raw.rows else {
            throw .noUnwindInformation(path: file.path.description)
        }
        // SAFETY: the shim gave `count` rows, which are freed behind the last use.
        let buffer = UnsafeMutableBufferPointer(start: rows, count: raw.count)
        Self.sort(buffer)
        let more = UnwindGaps.rows(file, image, between: UnsafeBufferPointer(buffer))
        guard !more.isEmpty else {
            self.init(sorted: buffer, text: text, unreadable: raw.unreadable)
            return
        }
        // What the file says of its code comes first where both begin.
        let all = UnsafeMutableBufferPointer<cunwind_cfi_row>.allocate(capacity: buffer.count + more.count)
        defer { all.deallocate() }
        // SAFETY: as many rows as there is room for; of a type without a destructor.
        _ = all.initialize(from: Merged(buffer, more))
        self.init(sorted: all, text: text, unreadable: raw.unreadable)
    }

    /// The pages that have code, as linked.
    private static func text(_ image: ELFImage) -> Range<UInt64>? {
        let code = image.segments.filter { $0.isExecutable && $0.fileSize > 0 }
        guard let low = code.map(\.address).min().map({ $0 & ~4095 }),
            let high = code.map({ $0.address.addingReportingOverflow($0.fileSize) }).map({ $0.overflow ? 0 : $0.0 })
                .max(),
            high > low, high < 1 << 63, high - low <= longestText
        else { return nil }
        return low..<(high + 4095) & ~4095
    }

    /// From rows in any order, which are sorted in place.
    init(rows: UnsafeMutableBufferPointer<cunwind_cfi_row>, text: Range<UInt64>) {
        Self.sort(rows)
        self.init(sorted: rows, text: text)
    }

    private static func sort(_ rows: UnsafeMutableBufferPointer<cunwind_cfi_row>) {
        // Stable: of rows that begin at one place, the first entry's holds. Linkers sort; then there is nothing to do.
        if !rows.indices.dropFirst().allSatisfy({ rows[$0 - 1].start <= rows[$0].start }) {
            let sorted = rows.enumerated().sorted { ($0.element.start, $0.offset) < ($1.element.start, $1.offset) }
            for (index, row) in sorted.enumerated() { rows[index] = row.element }
        }
    }

    private init(
        sorted rows: UnsafeMutableBufferPointer<cunwind_cfi_row>, text: Range<UInt64>, unreadable: UInt64 = 0
    ) {
        var packer = UnwindPacker(text: text, expecting: rows.count)
        for row in rows { packer.add(row.start, row.end, rule: row.rule) }
        packer.finish()
        start = text.lowerBound
        length = text.upperBound - text.lowerBound
        words = packer.words
        rulesBlock = packer.rulesBlock
        ruleCount = packer.rules.count
        rowCount = packer.rowCount
        flaws = Flaws(unreadable: unreadable, overlapping: packer.overlapping, unnumbered: packer.unnumbered)
    }

    /// As it was kept; nil where the parts don't fit each other.
    init?(_ kept: UnwindCache.Header, _ words: [UInt32]) {
        let blocks = words.count / Self.blockWords
        guard !words.isEmpty, words.count % Self.blockWords == 0, kept.start & 4095 == 0, kept.start < 1 << 63,
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

    /// The rule at an address as linked, by the steps that the kernel takes.
    func rule(at address: UInt64) -> UInt64 {
        guard address >= start, address - start < length else { return UInt64(UNWIND_NONE.rawValue) }
        let offset = Int(address - start)
        let first = Int(words[offset / Int(Self.chunkBytes)])
        let within = UInt32(offset % Int(Self.chunkBytes))
        var row = words[first]
        for index in 1..<max(1, Int(row & 0xffff)) where words[first + index] & 0xffff <= within {
            row = words[first + index]
        }
        let rule = Int(rulesBlock) * Self.blockWords + Int(row >> 16) * 2
        return UInt64(words[rule]) | UInt64(words[rule + 1]) << 32
    }
}
