// SPDX-License-Identifier: Apache-2.0
import CSymbols

/// A section of strings, each ended by a NUL; read as they are asked for.
package struct StringTable {
    private let bytes: FileBytes
    private let offset: UInt64
    /// Bytes.
    package let size: UInt64

    /// nil where the section has no place in the file.
    init?(_ bytes: FileBytes, _ section: ELFFile.Section) {
        guard section.header.sh_offset <= UInt64(Int64.max) - (1 << 32), section.header.sh_size < 1 << 31 else {
            return nil
        }
        self.bytes = bytes
        offset = section.header.sh_offset
        size = section.header.sh_size
    }

    /// Reads from a place to the section's end, or as much as there is room for.
    fileprivate func read(at place: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard place >= 0, UInt64(place) < size else { return 0 }
        let room = Int(min(UInt64(buffer.count), size - UInt64(place)))
        return bytes.read(at: offset + UInt64(place), into: .init(rebasing: buffer.prefix(room)))
    }

    /// The string at a place; cut where it is longer than `ELFFile.longestName`. Empty where there is none.
    package func string(at place: Int) -> String {
        // most names are short
        for room in [256, ELFFile.longestName] {
            let found = withUnsafeTemporaryAllocation(byteCount: room, alignment: 1) { buffer -> String? in
                let got = UnsafeRawBufferPointer(rebasing: buffer.prefix(read(at: place, into: buffer)))
                let end = got.firstIndex(of: 0)
                guard end != nil || room == ELFFile.longestName || got.count < room else { return nil }
                let (name, _) = UnsafeRawBufferPointer(rebasing: got[..<(end ?? got.count)]).splitAtVersion()
                return String(decoding: name, as: UTF8.self)
            }
            if let found { return found }
        }
        return ""
    }
}

/// Reads many strings of a table: what lies beside one that was read is kept.
package final class StringWindows {
    private static let size = 4096
    private static let count = 64

    private let table: StringTable
    /// By number of the window's place; -1: nothing.
    private var places = [Int](repeating: -1, count: count)
    private var lengths = [Int](repeating: 0, count: count)
    private let storage = UnsafeMutableRawBufferPointer.allocate(byteCount: size * count, alignment: 8)
    private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: ELFFile.longestName, alignment: 8)

    package init(_ table: StringTable) { self.table = table }

    deinit {
        storage.deallocate()
        scratch.deallocate()
    }

    private func window(_ number: Int) -> UnsafeRawBufferPointer {
        let slot = number % Self.count
        let room = UnsafeMutableRawBufferPointer(
            rebasing: storage[(slot * Self.size)..<((slot + 1) * Self.size)])
        if places[slot] != number {
            lengths[slot] = table.read(at: number * Self.size, into: room)
            places[slot] = number
        }
        return UnsafeRawBufferPointer(rebasing: room.prefix(lengths[slot]))
    }

    /// The string at a place, without its NUL, for the call; cut where it is longer than `ELFFile.longestName`.
    package func withString<Value>(at place: Int, _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        let first = window(place / Self.size)
        let tail = UnsafeRawBufferPointer(rebasing: first.dropFirst(place % Self.size))
        if let end = tail.firstIndex(of: 0) { return body(UnsafeRawBufferPointer(rebasing: tail[..<end])) }
        // it goes on in the next window
        var length = 0
        while length < scratch.count {
            let (number, skip) = ((place + length) / Self.size, (place + length) % Self.size)
            let part = window(number).dropFirst(skip).prefix(scratch.count - length)
            guard !part.isEmpty else { break }
            let end = part.firstIndex(of: 0) ?? part.endIndex
            let piece = UnsafeRawBufferPointer(rebasing: part[..<end])
            UnsafeMutableRawBufferPointer(rebasing: scratch[length...]).copyMemory(from: piece)
            length += piece.count
            if end < part.endIndex { break }
        }
        return body(UnsafeRawBufferPointer(rebasing: scratch[..<length]))
    }
}
