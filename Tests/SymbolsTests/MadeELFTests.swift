// SPDX-License-Identifier: Apache-2.0
import SystemPackage
import TestSupport
import Testing

@testable import Symbols

/// Files of both classes and both orders, read by Swift alone.
@Suite struct MadeELFTests {
    static let kinds = [(true, true), (true, false), (false, true), (false, false)]

    /// What became of each symbol: its name, address, size, room, binding.
    private func functions(_ made: MadeELF) throws -> [String] {
        let file = try ELFFile(bytes: made.bytes, name: "made")
        guard let symbols = file.symbols(in: .full) else { return [] }
        var found: [String] = []
        try file.forEachFunction(in: symbols) { (function) throws(SymbolError) in
            let name = symbols.strings.string(at: Int(function.name))
            found.append(
                "\(name) \(function.address)+\(function.size) \(function.room) \(function.binding)"
                    + (function.isIndirect ? " indirect" : "") + " \(function.index)")
            return name != "last"
        }
        return found
    }

    private func made(_ isWide: Bool, _ isLittle: Bool, machine: UInt16 = 62, _ symbols: [MadeELF.Symbol]) -> MadeELF {
        var made = MadeELF(isWide: isWide, isLittle: isLittle, machine: machine)
        made.sections = [
            .init(name: ".text", type: 1, flags: 6, address: 0x1000, bytes: [UInt8](repeating: 0x90, count: 64)),
            .init(name: ".strtab", type: 3, bytes: Array("\0one\0two\0three\0last\0".utf8)),
            .init(name: ".symtab", type: 2, bytes: made.table(symbols), link: 2),
        ]
        return made
    }

    @Test("functions alone, each with its number, section and binding", arguments: kinds)
    func symbols(isWide: Bool, isLittle: Bool) throws {
        let all: [MadeELF.Symbol] = [
            .init(name: 0, info: 0, section: 0, value: 0),
            .init(name: 1, info: 0x12, section: 1, value: 0x1000, size: 7),
            .init(name: 5, info: 0x02, section: 1, value: 0x1010),
            .init(name: 9, info: 0x2a, section: 1, value: 0x1020, size: 1),
            // no function; defined elsewhere; at no address; without a name; with a name beyond all names
            .init(name: 1, info: 0x11, section: 1, value: 0x1000, size: 7),
            .init(name: 1, info: 0x12, section: 0, value: 0x1000, size: 7),
            .init(name: 1, info: 0x12, section: 1, value: 0, size: 7),
            .init(name: 0, info: 0x12, section: 1, value: 0x1000, size: 7),
            .init(name: 20, info: 0x12, section: 1, value: 0x1000, size: 7),
            // at the last byte of its section, behind it, before it, in no section
            .init(name: 1, info: 0x12, section: 1, value: 0x103f),
            .init(name: 1, info: 0x12, section: 1, value: 0x1040),
            .init(name: 1, info: 0x12, section: 1, value: 0xfff), .init(name: 1, info: 0x12, section: 0xfff1, value: 9),
            .init(name: 15, info: 0x12, section: 1, value: 0x1001, size: 1),
            .init(name: 1, info: 0x12, section: 1, value: 0x1000, size: 7),
        ]
        #expect(
            try functions(made(isWide, isLittle, all)) == [
                "one 4096+7 0 global 1", "two 4112+0 48 local 2", "three 4128+1 0 weak indirect 3",
                "one 4159+0 1 global 9", "one 4160+0 1 global 10", "one 4095+0 1 global 11", "one 9+0 1 global 12",
                "last 4097+1 0 global 13",
            ])
    }

    @Test("on 32-bit ARM the lowest bit says Thumb, elsewhere it is the address's")
    func thumb() throws {
        let odd: [MadeELF.Symbol] = [.init(name: 1, info: 0x12, section: 1, value: 0x1001, size: 2)]
        #expect(try functions(made(false, true, machine: 40, odd)) == ["one 4096+2 0 global 0"])
        #expect(try functions(made(false, true, machine: 3, odd)) == ["one 4097+2 0 global 0"])
    }

    @Test("more symbols than are read at once")
    func many() throws {
        for count in [4095, 4096, 4097, 9000] {
            let all = (0..<count).map {
                MadeELF.Symbol(name: 1, info: 0x12, section: 1, value: UInt64($0 + 1), size: 1)
            }
            let found = try functions(made(true, true, all))
            #expect(found.count == count && found.last == "one \(count)+1 0 global \(count - 1)")
        }
    }

    @Test("a table is one of symbols, not compressed, with strings")
    func tables() throws {
        let one: [MadeELF.Symbol] = [.init(name: 1, info: 0x12, section: 1, value: 0x1000, size: 1)]
        func hasTable(_ change: (inout MadeELF) -> Void) throws -> Bool {
            var made = made(true, true, one)
            change(&made)
            return try ELFFile(bytes: made.bytes, name: "made").symbols(in: .full) != nil
        }
        #expect(try hasTable { _ in })
        #expect(try !hasTable { $0.sections[2].flags = 1 << 11 } && !hasTable { $0.sections[2].link = 1 })
        #expect(try !hasTable { $0.sections[2].link = 99 } && !hasTable { $0.sections[2].type = 11 })
    }

    @Test("the link to a debug file: a name, and a checksum where the next word begins", arguments: kinds)
    func debugLink(isWide: Bool, isLittle: Bool) throws {
        func link(_ bytes: [UInt8]) throws -> DebugLink? {
            var made = MadeELF(isWide: isWide, isLittle: isLittle)
            made.sections = [.init(name: ".gnu_debuglink", type: 1, bytes: bytes)]
            return try ELFFile(bytes: made.bytes, name: "made").image().debugLink
        }
        let sum = MadeELF(isWide: isWide, isLittle: isLittle).number(0x1234_5678, 4)
        for name in ["a", "ab", "abc", "abcd", "x.debug"] {
            let padded = Array(name.utf8) + [UInt8](repeating: 0, count: 4 - name.utf8.count % 4)
            let found = try link(padded + sum)
            #expect(found?.name == FilePath(name) && found?.crc32 == 0x1234_5678, "\(name)")
            #expect(try link(padded + sum.dropLast()) == nil)
        }
        #expect(try link([0, 0, 0, 0] + sum) == nil && link(Array("abcd".utf8)) == nil && link([]) == nil)
        // as long as a path may be, and one byte more
        let longest = [UInt8](repeating: 0x61, count: 8187) + [0]
        #expect(try link(longest + sum)?.crc32 == 0x1234_5678)
        #expect(try link(longest + sum + [0]) == nil)
    }
}
