// SPDX-License-Identifier: Apache-2.0
internal import CUnwind
internal import Glibc
internal import Symbols
internal import SystemPackage

/// Rows of a file's call-frame information, sorted by where they begin; owner of the C side's memory.
struct CallFrameRows: ~Copyable {
    /// How long one file may take.
    static let milliseconds: UInt32 = 20_000

    private let buffer: UnsafeMutableBufferPointer<unwind_row>
    /// Entries, or parts of them, that make no sense.
    let unreadable: UInt64

    /// From `.eh_frame`, or `.debug_frame` where only that exists.
    ///
    /// - Throws: `.noUnwindInformation`, also where it is too much or for another kind of machine.
    init(_ file: borrowing ELFFile) throws(SymbolError) {
        var raw = unwind_cfi()
        let status = unwind_cfi_rows(file.elf, file.descriptor, Self.milliseconds, &raw)
        guard status == UNWIND_CFI_OK, raw.count > 0, let rows = raw.rows else {
            free(raw.rows)
            throw .noUnwindInformation(path: file.path.description)
        }
        // SAFETY: the C side gave `count` rows, which deinit frees.
        buffer = UnsafeMutableBufferPointer(start: rows, count: raw.count)
        unreadable = raw.unreadable
        Self.sort(buffer)
    }

    deinit { free(buffer.baseAddress) }

    borrowing func withRows<R>(_ body: (UnsafeBufferPointer<unwind_row>) -> R) -> R {
        body(UnsafeBufferPointer(buffer))
    }

    /// Stable: of rows that begin at one place, the first entry's holds.
    static func sort(_ rows: UnsafeMutableBufferPointer<unwind_row>) {
        // Linkers sort; then there is nothing to do.
        guard !rows.indices.dropFirst().allSatisfy({ rows[$0 - 1].start <= rows[$0].start }) else { return }
        let sorted = rows.enumerated().sorted { ($0.element.start, $0.offset) < ($1.element.start, $1.offset) }
        for (index, row) in sorted.enumerated() { rows[index] = row.element }
    }
}

/// Two sorted lists of rows as one; of rows that begin at one place, `first`'s come first.
struct MergedRows: Sequence, IteratorProtocol {
    private let first: UnsafeBufferPointer<unwind_row>
    private let second: [unwind_row]
    private var (i, j) = (0, 0)

    init(_ first: UnsafeBufferPointer<unwind_row>, _ second: [unwind_row]) {
        self.first = first
        self.second = second
    }

    var underestimatedCount: Int { first.count + second.count }

    mutating func next() -> unwind_row? {
        if i < first.count, j == second.count || first[i].start <= second[j].start {
            i += 1
            return first[i - 1]
        }
        guard j < second.count else { return nil }
        j += 1
        return second[j - 1]
    }
}
