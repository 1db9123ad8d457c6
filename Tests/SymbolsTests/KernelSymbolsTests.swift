// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemLayer
import SystemPackage
import TestSupport
import Testing

@testable import Symbols

@Suite struct KernelSymbolsTests {
    static let text = """
        0000000000000000 A fixed_percpu_data
        ffffffff81000000 T _stext
        ffffffff81000000 T _text
        ffffffff81000040 t do_one_initcall
        ffffffff81000100 W arch_weak
        ffffffff82000000 D some_data
        ffffffffc0300000 t ext4_readpage\t[ext4]
        ffffffffc0100000 t nf_hook\t[nf_tables]
        ffffffffc0100080 t nf_exit\t[nf_tables]
        ffffffffc0300100 T ext4_write\t[ext4]
        ffffffffc0400000 t bpf_prog_6deef7357e7b4530_sd_fw_egress\t[bpf]

        """

    func symbols(_ text: String = Self.text) throws -> KernelSymbols { try KernelSymbols(kallsyms: Array(text.utf8)) }

    @Test func findsStartMiddleAndLastByte() throws {
        let table = try symbols()
        #expect(table.count == 9)
        #expect(table.name(for: 0xffff_ffff_8100_0040) == KernelSymbol(name: "do_one_initcall", offset: 0, module: nil))
        #expect(
            table.name(for: 0xffff_ffff_8100_00ff) == KernelSymbol(name: "do_one_initcall", offset: 0xbf, module: nil))
        #expect(table.name(for: 0xffff_ffff_8100_0100)?.name == "arch_weak")
    }

    @Test func firstAliasWins() throws {
        #expect(
            try symbols().name(for: 0xffff_ffff_8100_0010) == KernelSymbol(name: "_stext", offset: 0x10, module: nil))
    }

    @Test func unsortedModules() throws {
        let table = try symbols()
        #expect(table.name(for: 0xffff_ffff_c010_0084) == KernelSymbol(name: "nf_exit", offset: 4, module: "nf_tables"))
        #expect(
            table.name(for: 0xffff_ffff_c030_0004) == KernelSymbol(name: "ext4_readpage", offset: 4, module: "ext4"))
        #expect(table.name(for: 0xffff_ffff_c030_0104) == KernelSymbol(name: "ext4_write", offset: 4, module: "ext4"))
        #expect(table.name(for: 0xffff_ffff_c040_0001)?.module == "bpf")
        #expect(table.modules == ["ext4", "nf_tables", "bpf"])
    }

    @Test(arguments: [0, 1, 0x7fff_0000_1000, 0xffff_ffff_80ff_ffff, 0xffff_ffff_8200_0000, UInt64.max])
    func addressesOutsideCode(address: UInt64) throws {
        #expect(try symbols().name(for: address) == nil)
    }

    @Test func rangesOfFunctions() throws {
        let text = """
            ffffffff81000000 T _text
            ffffffff81000040 t new_slab
            ffffffff81000040 t new_slab_alias
            ffffffff81000100 t new_slab.isra.0
            ffffffff81000140 t new_slabs
            ffffffff81000200 T last
            ffffffffc0100000 t last\t[module]

            """
        let table = try symbols(text)
        #expect(
            table.ranges(of: ["new_slab", "none"]) == [
                0xffff_ffff_8100_0040..<0xffff_ffff_8100_0100, 0xffff_ffff_8100_0100..<0xffff_ffff_8100_0140,
            ])
        #expect(table.ranges(of: ["last"]) == [0xffff_ffff_8100_0200..<0xffff_ffff_8110_0200])
        #expect(table.ranges(of: []).isEmpty)
    }

    @Test func hidden() {
        let text = "0000000000000000 T _text\n0000000000000000 t f\n0000000000000000 t g\t[m]\n"
        #expect(throws: SymbolError.kernelAddressesHidden) { try symbols(text) }
        #expect(SymbolError.kernelAddressesHidden.description.contains("kernel.kptr_restrict"))
    }

    @Test(arguments: [
        "", "\n\n\n", "ffffffff81000000 D data\n", "not a symbol at all", "ffffffff81000000 T", "ffffffff81000000 T \n",
    ])
    func nothingUsable(text: String) {
        #expect(throws: SymbolError.noKernelSymbols) { try symbols(text) }
    }

    @Test func garbageLinesAreLeftOut() throws {
        let table = try symbols(
            """
            fffffffffffffffff81000000 T too_long_address
            ffffffff81000000T nospace
            ffffffff81000000 Tnospace
            xyz
             ffffffff81000000 T leading_space
            ffffffff81000010 t good
            ffffffff81000020 t odd_module [
            ffffffff81000030 t empty_module\t[]
            ffffffff81000040 t no_newline
            """)
        #expect(table.count == 4)
        #expect(table.name(for: 0xffff_ffff_8100_0011) == KernelSymbol(name: "good", offset: 1, module: nil))
        #expect(table.name(for: 0xffff_ffff_8100_0030) == KernelSymbol(name: "empty_module", offset: 0, module: nil))
        #expect(table.name(for: 0xffff_ffff_8100_0041) == KernelSymbol(name: "no_newline", offset: 1, module: nil))
    }

    @Test func binary() throws {
        var generator = SplitMix(state: 23)
        for _ in 0..<200 {
            var bytes = (0..<4096).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            #expect(throws: SymbolError.self) { _ = try KernelSymbols(kallsyms: bytes) }
            bytes += Array("\nffffffff81000000 T f\u{e9}\n".utf8)
            let table = try KernelSymbols(kallsyms: bytes)
            #expect(table.name(for: 0xffff_ffff_8100_0000)?.name == "f\u{e9}")
        }
    }

    @Test func fileIsReadInPieces() throws {
        // Longer than the reader's buffer, with a hostile line longer than it too.
        var text: [UInt8] = []
        for index in 0..<20_000 {
            text += Array("ffffffff8\(String(0x1000000 + index * 16, radix: 16)) t function_\(index)\n".utf8)
        }
        text += [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
        text += Array("\nffffffffc0000000 t tail\t[m]".utf8)
        let file = try TemporaryFile(text)
        let table = try KernelSymbols(path: file.path)
        #expect(table.count == 20_001)
        for index in stride(from: 0, to: 20_000, by: 23) {
            #expect(
                table.name(for: 0xffff_ffff_8100_0000 + UInt64(index) * 16 + 3)
                    == KernelSymbol(name: "function_\(index)", offset: 3, module: nil))
        }
        #expect(table.name(for: 0xffff_ffff_c000_0000)?.module == "m")
    }

    @Test func missingFile() {
        #expect(throws: SymbolError.system(operation: "open", path: "/nonexistent/kallsyms", errno: ENOENT)) {
            try KernelSymbols(path: "/nonexistent/kallsyms")
        }
    }

    /// The running kernel: each sampled code line must be found again, in time and memory as promised.
    @Test func live() throws {
        let text = try OpenFile(reading: "/proc/kallsyms").readAll(limit: 1 << 28)
        if text.starts(with: Array(repeating: UInt8(ascii: "0"), count: 16)),
            text.split(separator: 10).last?.first == UInt8(ascii: "0")
        {
            #expect(throws: SymbolError.kernelAddressesHidden) { _ = try KernelSymbols() }
            try skip("CAP_SYSLOG, to see kernel addresses")
            return
        }
        let table = try KernelSymbols()
        let lines = text.split(separator: UInt8(ascii: "\n"))
        var checked = 0
        for line in lines.enumerated().filter({ $0.offset % 97 == 0 }).map(\.element) {
            let fields = line.split(whereSeparator: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") })
            guard "tTwW".utf8.contains(fields[1][fields[1].startIndex]) else { continue }
            let address = try #require(UInt64(String(decoding: fields[0], as: UTF8.self), radix: 16))
            let symbol = try #require(table.name(for: address))
            #expect(symbol.offset == 0)
            // An alias may stand before it, at the same address.
            let wanted = String(decoding: fields[2], as: UTF8.self)
            if symbol.name != wanted {
                let alias = "\(String(decoding: fields[0], as: UTF8.self))"
                #expect(
                    lines.contains {
                        $0.starts(with: alias.utf8) && String(decoding: $0, as: UTF8.self).contains(" \(symbol.name)")
                    })
            }
            checked += 1
        }
        #expect(checked > 100)
        #expect(table.names.count + table.entries.count * 16 < 15 << 20)
    }
}
