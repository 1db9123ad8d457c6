// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemLayer
import TestSupport
import Testing

@testable import Symbols

@Suite struct ByteScanners {
    private func scanner(_ text: String) -> ByteScanner { ByteScanner(Array(text.utf8)[...]) }

    @Test("hexadecimal digits, and the characters beside them")
    func digits() {
        let said = "/0189:@AFG`afg".utf8.map { hexDigit($0) }
        #expect(said == [nil, 0, 1, 8, 9, nil, nil, 10, 15, nil, nil, 10, 15, nil])
    }

    @Test("hexadecimal numbers of one digit, of sixteen, of none and of too many")
    func hex() {
        for (text, value, rest) in [
            ("0", 0, ""), ("a-", 10, "-"), ("ffffffffffffffff x", .max, " x"), ("0000000000000001", 1, ""),
            ("", nil, ""), ("-1", nil, "-1"), ("00000000000000001", nil, nil),
        ] as [(String, UInt64?, String?)] {
            var scanner = scanner(text)
            #expect(scanner.hex() == value)
            if let rest { #expect(String(decoding: scanner.rest, as: UTF8.self) == rest) }
        }
    }

    @Test("decimal numbers up to the largest")
    func decimal() {
        for (text, value) in [
            ("0", 0), ("18446744073709551615", .max), ("18446744073709551616", nil), ("18446744073709551620", nil),
            ("99999999999999999999", nil), ("", nil), ("x", nil), ("12x", 12), ("9", 9),
        ] as [(String, UInt64?)] {
            var scanner = scanner(text)
            #expect(scanner.decimal() == value, "\(text)")
        }
    }

    @Test("separators, spaces, and so many bytes")
    func parts() {
        var scanner = scanner("-  abcd")
        #expect(!scanner.skip(" ") && scanner.skip("-"))
        scanner.skipSpaces()
        #expect(scanner.take(5) == nil)
        #expect(scanner.take(1).map { Array($0) } == Array("a".utf8))
        #expect(scanner.take(3).map { Array($0) } == Array("bcd".utf8))
        #expect(scanner.take(0)?.isEmpty == true && scanner.take(1) == nil && !scanner.skip("x"))
    }

    @Test("the place from which on something holds, in lists of every length")
    func partition() {
        for count in 0...20 {
            let list = Array(0..<count)
            for place in 0...count { #expect(list.partitionPoint { $0 >= place } == place) }
            #expect(list[...].dropFirst(count / 2).partitionPoint { _ in true } == count / 2)
        }
    }

    @Test("spans are equal byte for byte")
    func spans() {
        let (a, b, c): ([UInt8], [UInt8], [UInt8]) = ([1, 2, 3], [1, 2, 4], [1, 2])
        #expect(a.span.equals(a.span) && !a.span.equals(b.span) && !a.span.equals(c.span) && !c.span.equals(a.span))
        var all: [UInt8] = [9]
        all.append(copying: a.span)
        #expect(all == [9, 1, 2, 3])
    }
}

/// Bytes of a file, the same on disk and in memory.
@Suite struct FileBytesTests {
    static func inMemory(_ bytes: [UInt8]) throws -> FileBytes {
        let start = try #require(malloc(max(bytes.count, 1)))
        let memory = UnsafeMutableRawBufferPointer(start: start, count: bytes.count)
        memory.copyBytes(from: bytes)
        return FileBytes(taking: memory)
    }

    @Test("from any place to the end, and nothing behind it")
    func reading() throws {
        let content: [UInt8] = [1, 2, 3, 4, 5]
        let file = try TemporaryFile(content)
        for bytes in [try Self.inMemory(content), FileBytes(try OpenFile(reading: file.path))] {
            func read(_ place: UInt64, _ count: Int) -> [UInt8] {
                var buffer = [UInt8](repeating: 0, count: count)
                let got = buffer.withUnsafeMutableBytes { bytes.read(at: place, into: $0) }
                return Array(buffer.prefix(got))
            }
            #expect(read(0, 5) == content && read(0, 9) == content && read(1, 2) == [2, 3])
            #expect(read(4, 2) == [5] && read(5, 1) == [] && read(6, 1) == [] && read(0, 0) == [])
            #expect(read(.max, 1) == [] && read(UInt64(Int64.max) - 1, 2) == [] && read(1 << 62, 1) == [])
        }
        #expect(try Self.inMemory(content).status == nil && Self.inMemory(content).descriptor == -1)
        #expect(FileBytes(try OpenFile(reading: file.path)).status?.st_size == 5)
    }

    @Test("numbers of either order, up to the last byte")
    func numbers() throws {
        let bytes = try Self.inMemory([1, 2, 3, 4, 5, 6, 7, 8, 9])
        #expect(bytes.number(at: 1, as: UInt64.self, isLittle: true) == 0x0908_0706_0504_0302)
        #expect(bytes.number(at: 1, as: UInt64.self, isLittle: false) == 0x0203_0405_0607_0809)
        #expect(bytes.number(at: 2, as: UInt64.self, isLittle: true) == nil)
        #expect(bytes.number(at: 7, as: UInt16.self, isLittle: false) == 0x0809)
        #expect(bytes.number(at: 8, as: UInt16.self, isLittle: true) == nil)
    }
}

@Suite struct ELFCountsTests {
    /// A header whose counts stand where the ABI has them.
    private func header(
        isWide: Bool, isLittle: Bool, table: UInt64, segments: UInt16, sections: UInt16, count: Int = 128,
        _ change: (inout [UInt8]) -> Void = { _ in }
    ) throws -> ELFCounts? {
        var bytes = [UInt8](repeating: 0, count: 128)
        bytes.replaceSubrange(0..<6, with: [0x7f, 0x45, 0x4c, 0x46, isWide ? 2 : 1, isLittle ? 1 : 2])
        put(table, isWide ? 8 : 4, at: isWide ? 40 : 32, isLittle, in: &bytes)
        put(UInt64(segments), 2, at: isWide ? 56 : 44, isLittle, in: &bytes)
        put(UInt64(sections), 2, at: isWide ? 60 : 48, isLittle, in: &bytes)
        change(&bytes)
        return ELFCounts(try FileBytesTests.inMemory(Array(bytes.prefix(count))))
    }

    private func put(_ value: UInt64, _ width: Int, at place: Int, _ isLittle: Bool, in bytes: inout [UInt8]) {
        for index in 0..<width {
            let shift = UInt64(8 * (isLittle ? index : width - 1 - index))
            bytes[place + index] = UInt8(truncatingIfNeeded: value >> shift)
        }
    }

    @Test("64 and 32 bits, of either order", arguments: [(true, true), (true, false), (false, true), (false, false)])
    func counts(isWide: Bool, isLittle: Bool) throws {
        let plain = try header(isWide: isWide, isLittle: isLittle, table: 64, segments: 0x102, sections: 0x304)
        #expect(plain?.segments == 0x102 && plain?.sections == 0x304)
        // more than 16 bits hold: in the first section's header, its size and its info
        let many = try header(isWide: isWide, isLittle: isLittle, table: 64, segments: 0xffff, sections: 0) { bytes in
            put(70_000, isWide ? 8 : 4, at: 64 + (isWide ? 32 : 20), isLittle, in: &bytes)
            put(80_000, 4, at: 64 + (isWide ? 44 : 28), isLittle, in: &bytes)
        }
        #expect(many?.sections == 70_000 && many?.segments == 80_000)
        let none = try header(isWide: isWide, isLittle: isLittle, table: 0, segments: 3, sections: 0)
        #expect(none?.sections == 0 && none?.segments == 3)
        let beyond = try header(isWide: isWide, isLittle: isLittle, table: 4096, segments: 0xffff, sections: 0)
        #expect(beyond?.sections == 0 && beyond?.segments == 0)
        let whole = isWide ? 62 : 50
        #expect(try header(isWide: isWide, isLittle: isLittle, table: 1, segments: 1, sections: 1, count: whole) != nil)
        #expect(
            try header(isWide: isWide, isLittle: isLittle, table: 1, segments: 1, sections: 1, count: whole - 1) == nil)
    }

    @Test("as many as real files never have are the most")
    func bounds() throws {
        func isModest(_ segments: UInt16, _ sections: UInt16) throws -> Bool? {
            try header(isWide: true, isLittle: true, table: 64, segments: segments, sections: sections)?.isModest
        }
        #expect(try isModest(4096, 8192) == true)
        #expect(try isModest(4097, 8192) == false)
        #expect(try isModest(4096, 8193) == false)
    }

    @Test("no ELF header")
    func none() throws {
        let other = try header(isWide: true, isLittle: true, table: 1, segments: 1, sections: 1) { $0[0] = 0x7e }
        #expect(other == nil)
        #expect(ELFCounts(try FileBytesTests.inMemory([0x7f, 0x45, 0x4c, 0x46])) == nil)
        #expect(ELFCounts(try FileBytesTests.inMemory([])) == nil)
    }
}
