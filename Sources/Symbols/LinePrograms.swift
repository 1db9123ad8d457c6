// SPDX-License-Identifier: Apache-2.0
import CSymbols
import Glibc
internal import SystemPackage

/// The programs of `.debug_line`, each run by libdw as a whole: what that takes is asked for before.
///
/// A byte of a program may make a row, and libdw has some seventy bytes of each.
final class LinePrograms {
    private static let rowBytes = 72

    private let data: UnsafeMutablePointer<Elf_Data>?
    private let share: FileShare
    private let path: FilePath
    private let isLittle: Bool
    /// By place: may it be run?
    private var known: [Int: Bool] = [:]

    /// - Parameter file: lives as long as this.
    init(_ file: borrowing ELFFile) {
        share = file.share
        path = file.path
        isLittle = file.isLittle
        // libdw has unpacked it, where it was packed
        let section = file.section(named: ".debug_line")
        data = section.flatMap { try? file.handle($0) }.flatMap { elf_rawdata($0, nil) }
    }

    /// May the program of a unit be run?
    func allow(_ unit: inout Dwarf_Die) -> Bool {
        guard let place = DwarfLines.unsigned(&unit, DW_AT_stmt_list) else { return true }
        if let known = known[place] { return known }
        let isAllowed =
            length(place).map { share.take(min($0, Int(Int32.max) / Self.rowBytes) * Self.rowBytes) } ?? true
        if !isAllowed { share.reading.omit(path, .lines, .memory) }
        known[place] = isAllowed
        return isAllowed
    }

    /// Bytes of the program at a place; nil where there is none.
    private func length(_ place: Int) -> Int? {
        guard let bytes = data?.pointee.bytes, place >= 0, bytes.count >= 12, place <= bytes.count - 12 else {
            return nil
        }
        let short = bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)
        let number = isLittle ? UInt32(littleEndian: short) : UInt32(bigEndian: short)
        guard number == .max else { return min(Int(number), bytes.count) }
        let long = bytes.loadUnaligned(fromByteOffset: place + 4, as: UInt64.self)
        return min(Int(clamping: isLittle ? UInt64(littleEndian: long) : UInt64(bigEndian: long)), bytes.count)
    }
}
