// SPDX-License-Identifier: Apache-2.0
import CSymbols
import Glibc
import TestSupport
import Testing

@testable import Symbols

/// Names read where they stand: through windows, and one by one.
@Suite struct StringTableTests {
    private func table(_ bytes: [UInt8], offset: UInt64 = 0, size: UInt64? = nil) throws -> StringTable? {
        var header = GElf_Shdr()
        (header.sh_offset, header.sh_size) = (offset, size ?? UInt64(bytes.count) - offset)
        return StringTable(try FileBytesTests.inMemory(bytes), ELFFile.Section(number: 1, header: header))
    }

    private func expected(_ bytes: [UInt8], _ place: Int) -> String {
        String(decoding: bytes[place...].prefix { $0 != 0 }.prefix(ELFFile.longestName), as: UTF8.self)
    }

    private func windowed(_ windows: StringWindows, _ place: Int) -> String {
        windows.withString(at: place) { String(decoding: $0, as: UTF8.self) }
    }

    @Test("strings of every length, at and across the borders of windows, cut at the longest")
    func lengths() throws {
        let lengths = [0, 1, 254, 255, 256, 257, 4094, 4095, 4096, 4097, 8191, 16383, 16384, 16385, 20_000]
        for gap in [0, 1, 100, 4000] {
            var bytes = [UInt8](repeating: 0x2e, count: gap)
            if gap > 0 { bytes[gap - 1] = 0 }
            var places: [Int] = []
            for (index, length) in lengths.enumerated() {
                places.append(bytes.count)
                bytes += [UInt8](repeating: 0x61 + UInt8(index), count: length) + [0]
            }
            // the last is ended by the section alone
            places.append(bytes.count)
            bytes += Array("last".utf8)
            let strings = try #require(try table(bytes))
            let windows = StringWindows(strings)
            for place in places + places.reversed() {
                #expect(strings.string(at: place) == expected(bytes, place), "\(gap): \(place)")
                #expect(windowed(windows, place) == expected(bytes, place), "\(gap): \(place)")
            }
            #expect(strings.string(at: bytes.count) == "" && strings.string(at: bytes.count - 1) == "t")
            #expect(strings.string(at: -1) == "")
        }
    }

    @Test("windows that share a slot take each other's place")
    func slots() throws {
        var bytes = [UInt8](repeating: 0, count: 4096 * 130)
        for window in 0..<130 {
            let text = Array("w\(window)".utf8)
            bytes.replaceSubrange((window * 4096 + 7)..<(window * 4096 + 7 + text.count), with: text)
        }
        let windows = StringWindows(try #require(try table(bytes)))
        for round in 0..<2 {
            for window in [0, 64, 0, 128, 1, 65, 129, 63, 127] {
                #expect(windowed(windows, window * 4096 + 7) == "w\(window)", "\(round)")
            }
        }
    }

    @Test("a section that begins within the file, and is shorter than it")
    func within() throws {
        let bytes = Array("xxab\u{0}cdefgh".utf8)
        let strings = try #require(try table(bytes, offset: 2, size: 5))
        #expect(strings.string(at: 0) == "ab" && strings.string(at: 3) == "cd" && strings.string(at: 4) == "d")
        #expect(strings.string(at: 5) == "" && strings.size == 5)
        #expect(windowed(StringWindows(strings), 3) == "cd")
        #expect(strings.string(at: 2) == "")
    }

    @Test("versions are no part of a name; a name may begin with @")
    func versions() throws {
        let strings = try #require(try table(Array("f@@V1\u{0}g@V2\u{0}@h\u{0}".utf8)))
        #expect(strings.string(at: 0) == "f" && strings.string(at: 6) == "g" && strings.string(at: 11) == "@h")
        func parts(_ text: String) -> [String?] {
            Array(text.utf8).withUnsafeBytes { bytes in
                let (name, version) = bytes.splitAtVersion()
                return [String(decoding: name, as: UTF8.self), version.map { String(decoding: $0, as: UTF8.self) }]
            }
        }
        #expect(parts("a@B") == ["a", "B"] && parts("a@@B") == ["a", "B"] && parts("a") == ["a", nil])
        #expect(parts("@a@B") == ["@a@B", nil] && parts("a@") == ["a", ""])
    }

    @Test("sections of no place: at the end of all offsets, of 2 GiB")
    func places() throws {
        let last = UInt64(Int64.max) - 1 << 32
        #expect(try table([1], offset: last, size: 1) != nil && table([1], offset: last + 1, size: 1) == nil)
        #expect(try table([1], size: 1 << 31 - 1) != nil && table([1], size: 1 << 31) == nil)
    }

    @Test("a name's place: 31 bits, and which table")
    func namePlaces() {
        for (offset, second) in [(0, false), (0x7fff_ffff, false), (5, true), (0x7fff_ffff, true)] as [(UInt32, Bool)] {
            let place = ELFSymbols.NamePlace(offset, isSecond: second)
            #expect(place.offset == Int(offset) && place.table == (second ? 1 : 0))
        }
    }
}
