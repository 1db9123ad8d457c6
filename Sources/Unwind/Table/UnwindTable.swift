// SPDX-License-Identifier: Apache-2.0
internal import SystemPackage
internal import TraceRecords
internal import Symbols
internal import CUnwind

/// A file's call-frame information as the kernel's unwinder reads it (TraceRecords/unwind_table.h).
///
/// Positions are byte distances from `start`, which is where the file's first executable page was linked to.
struct UnwindTable: Equatable, Sendable {
    /// What can be wrong with a file's information; none of it is fatal.
    struct Flaws: Hashable, Sendable {
        /// Entries, or parts of them, that make no sense.
        var unreadable: UInt64 = 0
        /// Rows for code that an earlier entry has rows for; the earlier ones hold.
        var overlapping: UInt64 = 0
        /// Rows without a rule, because the table has its 65536 already.
        var unnumbered: UInt64 = 0
    }

    /// As linked; a multiple of the page size.
    let start: UInt64
    /// Bytes of text covered.
    let length: UInt64
    /// Blocks of `UNWIND_BLOCK_WORDS` words, one after another.
    let words: [UInt32]
    /// The block where rules begin.
    let rulesBlock: UInt32
    let ruleCount: Int
    let rowCount: Int
    let flaws: Flaws

    var byteCount: Int { words.count * 4 }

    static let blockWords = Int(UNWIND_BLOCK_WORDS)
    static let chunkBytes = UInt64(UNWIND_CHUNK_BYTES)
    /// Text that spans more isn't covered: an index of it would be larger than any real program's.
    static let longestText: UInt64 = 1 << 30

    /// From a file's call-frame information, and from its code where that says nothing.
    ///
    /// - Throws: `.noUnwindInformation`, also where it is for another kind of machine; `.leftOut`.
    init(_ file: borrowing ELFFile, _ image: ELFImage) throws(SymbolError) {
        guard let text = Self.text(image) else { throw .noUnwindInformation(path: file.path.description) }
        let share = FileShare(file.share.reading, onDisk: file.onDisk)
        // an index of all of the text, for a file that may have little of it
        guard share.take(Int((text.upperBound - text.lowerBound) / Self.chunkBytes) * 4) else {
            throw .leftOut(path: file.path.description, reason: .memory)
        }
        let callFrames = try CallFrameRows(file)
        let packer = callFrames.withRows { rows in
            UnwindPacker(text: text, MergedRows(rows, UnwindGaps.rows(file, image, between: rows)))
        }
        self.init(packer, unreadable: callFrames.unreadable)
    }

    /// From rows in any order.
    init(rows: [unwind_row], text: Range<UInt64>) {
        var rows = rows
        rows.withUnsafeMutableBufferPointer { CallFrameRows.sort($0) }
        self.init(UnwindPacker(text: text, rows))
    }

    private init(_ packer: UnwindPacker, unreadable: UInt64 = 0) {
        start = packer.text.lowerBound
        length = packer.text.upperBound - packer.text.lowerBound
        words = packer.words
        rulesBlock = packer.rulesBlock
        ruleCount = packer.rules.count
        rowCount = packer.rowCount
        flaws = Flaws(unreadable: unreadable, overlapping: packer.overlapping, unnumbered: packer.unnumbered)
    }

    /// The pages that have code, as linked.
    static func text(_ image: ELFImage) -> Range<UInt64>? {
        let code = image.segments.filter { $0.isExecutable && $0.fileSize > 0 }
        guard let low = code.map(\.address).min().map({ $0 & ~4095 }),
            let high = code.map({ $0.address.addingReportingOverflow($0.fileSize) }).map({ $0.overflow ? 0 : $0.0 })
                .max(),
            high > low, high < 1 << 63, high - low <= longestText
        else { return nil }
        return low..<(high + 4095) & ~4095
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
