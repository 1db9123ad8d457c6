// SPDX-License-Identifier: Apache-2.0
internal import CUnwind
internal import Glibc
internal import Symbols
internal import SystemPackage

/// Rows of a file's call-frame information, sorted by where they begin; owner of the C side's memory.
struct CallFrameRows: ~Copyable {
    private let buffer: UnsafeMutableBufferPointer<unwind_row>
    /// Entries, or parts of them, that make no sense.
    let unreadable: UInt64
    /// Holds what the rows take of the file's memory.
    private let share: FileShare

    /// From `.eh_frame`, or `.debug_frame` where only that exists.
    ///
    /// - Throws: `.noUnwindInformation`, also where it is for another kind of machine; `.leftOut`, `.malformedELF`.
    init(_ file: borrowing ELFFile) throws(SymbolError) {
        let share = FileShare(file.share.reading, onDisk: file.onDisk)
        var raw = try Self.rows(file, ".eh_frame", share)
        if raw.count == 0 { raw = try Self.rows(file, ".debug_frame", share) }
        guard raw.count > 0, let rows = raw.rows else {
            throw .noUnwindInformation(path: file.path.description)
        }
        // SAFETY: the C side gave `count` rows, which deinit frees.
        self.init(
            UnsafeMutableBufferPointer(start: rows, count: raw.count), unreadable: raw.unreadable, share: share)
    }

    private init(_ rows: UnsafeMutableBufferPointer<unwind_row>, unreadable: UInt64, share: FileShare) {
        buffer = rows
        self.unreadable = unreadable
        self.share = share
        Self.sort(buffer)
    }

    /// No rows where there is no such section.
    private static func rows(
        _ file: borrowing ELFFile, _ name: StaticString, _ share: FileShare
    ) throws(SymbolError) -> unwind_cfi {
        var raw = unwind_cfi()
        guard let section = file.section(named: name), section.size > 0 else { return raw }
        let elf = try file.libelf()
        let data = try file.unpackedData(section)
        let size = data.pointee.bytes?.count ?? 0
        // An entry has 16 bytes at least, and an instruction one. Real files have a row in eight bytes.
        let most = max(1024, size)
        let rowBytes = MemoryLayout<unwind_row>.stride
        var room = most / 4
        guard share.take(room * rowBytes) else { throw .leftOut(path: file.path.description, reason: .memory) }
        var place = unwind_section(data: data, address: section.address, eh: name.utf8CodeUnitCount == 9)
        let context = Unmanaged.passUnretained(file.share.reading)
        let spent: @convention(c) (UnsafeMutableRawPointer?) -> Bool = { context in
            // SAFETY: the reading of the file, which outlives the call.
            context.map { Unmanaged<FileReading>.fromOpaque($0).takeUnretainedValue().isSpent } ?? false
        }
        while true {
            var limits = unwind_limits(rows: room, spent: spent, context: context.toOpaque())
            switch unwind_cfi_rows(elf, &place, &limits, &raw) {
            case UNWIND_CFI_OK:
                share.give((room - raw.count) * rowBytes)
                return raw
            case UNWIND_CFI_TOO_LONG: throw .leftOut(path: file.path.description, reason: .time)
            case UNWIND_CFI_TOO_MANY:
                // rows as dense as that are no compiler's
                guard room < most, share.take((most - room) * rowBytes) else {
                    throw .leftOut(path: file.path.description, reason: .memory)
                }
                room = most
            default:
                share.give(room * rowBytes)
                return unwind_cfi()
            }
        }
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
