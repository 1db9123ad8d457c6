// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Symbols

@Suite struct KallsymsBoundaryTests {
    private func names(_ text: String) -> [String] {
        guard let table = try? KernelSymbols(kallsyms: Array(text.utf8)) else { return [] }
        return table.entries.map { entry in
            let name = String(
                decoding: table.names[Int(entry.nameOffset)..<(Int(entry.nameOffset) + Int(entry.nameLength))],
                as: UTF8.self)
            let module = entry.module == 0 ? "" : " " + table.modules[Int(entry.module) - 1]
            return "\(String(entry.address, radix: 16)) \(name)\(module)"
        }
    }

    @Test("addresses of one digit and of sixteen; names of one character; types of code alone")
    func lines() {
        #expect(names("1 t f\n") == ["1 f"])
        #expect(names("ffffffffffffffff T g") == ["ffffffffffffffff g"])
        #expect(names("fffffffffffffffff T g\n") == [] && names(" t f\n") == [] && names("t f\n") == [])
        #expect(names("1 w f\n2 W g\n3 T h\n4 d x\n5 b x\n6 a x\n7 v x\n8 u x\n9 s x\n") == ["1 f", "2 g", "3 h"])
        #expect(names("1 t \n1 t\n1\n1 \n1  f\n1 tf\n1 tt f\n1 t  f\n") == [])
    }

    @Test("names of 4096 bytes and of one more")
    func long() {
        let name = String(repeating: "n", count: 4096)
        #expect(names("1 t \(name)\n") == ["1 \(name)"] && names("1 t \(name)n\n") == [])
    }

    @Test("modules in brackets: of one letter, of none, and what is none")
    func modules() {
        #expect(names("1 t f\t[m]\n2 t g\t[mm]\n3 t h\t[m]\n") == ["1 f m", "2 g mm", "3 h m"])
        #expect(names("1 t f\t[]\n2 t g\t[m\n3 t h\tm]\n4 t i\t(m]\n") == ["1 f", "2 g", "3 h", "4 i"])
        #expect(names("1 t f [m]\n") == ["1 f m"])
    }

    @Test("an address is a function's up to the next one, and no farther than a MiB from its start")
    func farthest() throws {
        let table = try KernelSymbols(kallsyms: Array("1000 t f\n2000 t g\n2000 t alias\n".utf8))
        #expect(table.name(for: 0xfff) == nil && table.name(for: 0x1000)?.name == "f")
        #expect(table.name(for: 0x1fff) == KernelSymbol(name: "f", offset: 0xfff, module: nil))
        #expect(table.name(for: 0x2000) == KernelSymbol(name: "g", offset: 0, module: nil))
        #expect(table.name(for: 0x10_1fff)?.offset == 0xf_ffff && table.name(for: 0x10_2000) == nil)
    }

    @Test("unsorted lists: names of one address stay in the order of their lines")
    func unsorted() {
        #expect(names("3 t c\n1 t b\n1 t a\n2 t d\n") == ["1 b", "1 a", "2 d", "3 c"])
        #expect(names("1 t b\n1 t a\n") == ["1 b", "1 a"])
    }

    @Test("no functions, or only hidden ones")
    func hidden() {
        #expect(throws: SymbolError.noKernelSymbols) { try KernelSymbols(kallsyms: Array("0 d x\n0 t\n".utf8)) }
        #expect(throws: SymbolError.kernelAddressesHidden) { try KernelSymbols(kallsyms: Array("0 t x\n".utf8)) }
    }

    @Test("a name that the next one continues is another")
    func continued() throws {
        let table = try KernelSymbols(kallsyms: Array("1000 t kmalloc\n2000 t _large.part\n3000 t a\n".utf8))
        #expect(table.ranges(of: ["kmalloc_large", "a"]) == [0x3000..<0x10_3000])
    }

    @Test("functions and their parts: the very name, or with a point behind it; of the image alone")
    func ranges() throws {
        let table = try KernelSymbols(
            kallsyms: Array(
                "1000 t f\n1010 t f.cold\n1020 t ff\n1030 t g\n1030 t f.part.0\n1040 t xf\n1050 t f\t[m]\n1060 t fx.f\n2000 t f\n"
                    .utf8))
        #expect(
            table.ranges(of: ["f"]) == [0x1000..<0x1010, 0x1010..<0x1020, 0x1030..<0x1040, 0x2000..<0x10_2000])
        #expect(table.ranges(of: ["ff", "xf"]) == [0x1020..<0x1030, 0x1040..<0x1050])
        #expect(table.ranges(of: ["fff"]).isEmpty)
    }
}
