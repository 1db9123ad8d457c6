// SPDX-License-Identifier: Apache-2.0
import Glibc
internal import SystemLayer
internal import SystemPackage

/// The functions a just-in-time compiler has written down in /tmp/perf-PID.map: lines `START SIZE name`, hexadecimal
/// (tools/perf/Documentation/jit-interface.txt). Where entries overlap, the later one wins: code is compiled again.
///
/// Names stay in the file until they are asked for.
struct PerfMap {
    /// Longer files are refused.
    static let longestText: Int64 = 1 << 27

    private struct Entry {
        var start: UInt64
        var size: UInt32
        var nameOffset: UInt32
        var nameLength: UInt16
    }

    /// Room is asked for so many entries at a time; sorting takes half as much again.
    private static let block = 4096
    private static let blockBytes = block * MemoryLayout<Entry>.stride * 3 / 2

    private var entries: [Entry] = []
    private let bytes: FileBytes
    private let share: FileShare

    /// From a file's text. Lines that don't parse are left out.
    init(text: [UInt8], _ reading: FileReading = FileReading()) throws(SymbolError) {
        // SAFETY: FileBytes frees what malloc gave.
        let start = malloc(max(text.count, 1))
        let memory = UnsafeMutableRawBufferPointer(start: start, count: start == nil ? 0 : text.count)
        memory.copyBytes(from: text.prefix(memory.count))
        try self.init(FileBytes(taking: memory), FileShare(reading, onDisk: memory.count), path: "text")
    }

    /// - Throws: `.leftOut` where it has more than may be held, or read. Half a map would be no good: a later line may
    ///   take back an earlier one.
    init(_ bytes: FileBytes, _ share: FileShare, path: FilePath) throws(SymbolError) {
        self.bytes = bytes
        self.share = share
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 8)
        defer { piece.deallocate() }
        var (place, isBehindLong) = (0, false)
        while true {
            let got = UnsafeRawBufferPointer(
                rebasing: piece.prefix(bytes.read(at: UInt64(place), into: piece)))
            guard !got.isEmpty else { break }
            guard !share.reading.isSpent else { throw .leftOut(path: path.description, reason: .time) }
            var line = 0
            while line < got.count {
                let rest = UnsafeRawBufferPointer(rebasing: got[line...])
                let end = rest.firstIndex(of: UInt8(ascii: "\n"))
                // half a line is read anew, from its start; one that fills the piece is cut
                if end == nil, line > 0, got.count == piece.count { break }
                let text = UnsafeRawBufferPointer(rebasing: rest[..<(end ?? rest.count)])
                if !isBehindLong, let entry = Self.entry(text, at: place + line) {
                    try append(entry, path)
                }
                isBehindLong = end == nil
                line += text.count + (end == nil ? 0 : 1)
            }
            place += line
        }
        // Stable by position in the file, so that among equal starts the last line is the last.
        entries.sort { ($0.start, $0.nameOffset) < ($1.start, $1.nameOffset) }
    }

    private mutating func append(_ entry: Entry, _ path: FilePath) throws(SymbolError) {
        if entries.count % Self.block == 0 {
            guard share.take(Self.blockBytes) else { throw .leftOut(path: path.description, reason: .memory) }
            entries.reserveCapacity(entries.count + Self.block)
        }
        entries.append(entry)
    }

    /// - Parameter place: of the line in the file.
    private static func entry(_ line: UnsafeRawBufferPointer, at place: Int) -> Entry? {
        var at = line.firstIndex { $0 != UInt8(ascii: " ") } ?? line.count
        guard let start = number(line, &at), let size = number(line, &at), size > 0, start &+ size > start,
            at < line.count, let nameOffset = UInt32(exactly: place + at)
        else { return nil }
        return Entry(
            start: start, size: UInt32(clamping: size), nameOffset: nameOffset,
            nameLength: UInt16(clamping: line.count - at))
    }

    /// A hexadecimal number of at most 16 digits, and the space behind it.
    private static func number(_ line: UnsafeRawBufferPointer, _ at: inout Int) -> UInt64? {
        // Some compilers write 0x.
        if at + 1 < line.count, line[at] == UInt8(ascii: "0"), line[at + 1] == UInt8(ascii: "x") { at += 2 }
        var (value, digits) = (UInt64(0), 0)
        while at < line.count, let digit = hexDigit(line[at]) {
            guard digits < 16 else { return nil }
            value = value << 4 | UInt64(digit)
            digits += 1
            at += 1
        }
        guard digits > 0, at < line.count, line[at] == UInt8(ascii: " ") else { return nil }
        at += 1
        return value
    }

    /// Number of functions, superseded ones included.
    var count: Int { entries.count }

    /// The function that holds `address`, and the distance from its start.
    func symbol(address: UInt64) -> (name: String, offset: UInt64)? {
        var index = entries.partitionPoint { $0.start > address }
        for _ in 0..<8 {
            guard index > 0 else { return nil }
            index -= 1
            let entry = entries[index]
            if address - entry.start < UInt64(entry.size) { return (name(entry), address - entry.start) }
        }
        return nil
    }

    private func name(_ entry: Entry) -> String {
        withUnsafeTemporaryAllocation(byteCount: Int(entry.nameLength), alignment: 1) { buffer in
            let got = bytes.read(at: UInt64(entry.nameOffset), into: buffer)
            return String(decoding: buffer.prefix(got), as: UTF8.self)
        }
    }
}
