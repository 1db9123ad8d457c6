// SPDX-License-Identifier: Apache-2.0
import CSymbols
import Glibc

/// A function symbol as it stands in a symbol table, its name still bytes of the file.
package struct RawFunction {
    /// As linked.
    package let address: UInt64
    package let size: UInt64
    /// Bytes from `address` to the end of its section.
    package let room: UInt64
    /// Without `@VERSION`.
    package let name: UnsafeRawBufferPointer
    /// What follows `@` or `@@` in the name.
    package let versionInName: UnsafeRawBufferPointer?
    /// `STT_GNU_IFUNC`: the address is the resolver's.
    package let isIndirect: Bool
    package let binding: Binding
    /// Position in its table, for `.gnu.version`.
    package let index: Int

    package enum Binding: UInt8, Comparable {
        case global, weak, local
        package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    }
}

extension ELFFile {
    package enum SymbolTable {
        /// `.symtab`: every function; what `strip` removes.
        case full
        /// `.dynsym`: what is imported and exported.
        case dynamic

        package var sectionType: UInt32 {
            switch self {
            case .full: UInt32(SHT_SYMTAB)
            case .dynamic: UInt32(SHT_DYNSYM)
            }
        }
    }

    /// Longer names are cut: a hostile table may make every symbol share one endless string.
    package static var longestName: Int { 1 << 14 }

    /// Calls `body` for each defined function of a table, in the table's order, until it gives false. Does nothing when the
    /// table is absent or unreadable.
    package borrowing func forEachFunction(in table: SymbolTable, _ body: (RawFunction) -> Bool) {
        var found: Section?
        forEachSection { section in
            guard section.header.sh_type == table.sectionType else { return true }
            found = section
            return false
        }
        guard let symbols = found, let data = data(symbols), let link = section(number: symbols.header.sh_link),
            link.header.sh_type == SHT_STRTAB, let strings = contents(link)
        else { return }
        var header = GElf_Ehdr()
        guard gelf_getehdr(elf, &header) != nil else { return }
        // On 32-bit ARM the lowest bit says Thumb.
        let mask: UInt64 = Int32(header.e_machine) == EM_ARM ? ~1 : ~0

        let entrySize = gelf_fsize(elf, ELF_T_SYM, 1, UInt32(EV_CURRENT))
        guard entrySize > 0 else { return }
        var symbol = GElf_Sym()
        for index in 0..<Int32(clamping: data.pointee.d_size / entrySize) {
            guard gelf_getsym(data, index, &symbol) != nil else { return }
            let type = Int32(symbol.st_info & 0xf)
            guard type == STT_FUNC || type == STT_GNU_IFUNC, symbol.st_shndx != 0, symbol.st_value != 0,
                symbol.st_name != 0, Int(symbol.st_name) < strings.count
            else { continue }
            let tail = UnsafeRawBufferPointer(rebasing: strings[Int(symbol.st_name)...].prefix(Self.longestName))
            let full = UnsafeRawBufferPointer(rebasing: tail[..<(tail.firstIndex(of: 0) ?? tail.count)])
            let (name, version) = full.splitAtVersion()
            guard !name.isEmpty else { continue }
            let binding: RawFunction.Binding =
                switch Int32(symbol.st_info >> 4) {
                case STB_LOCAL: .local
                case STB_WEAK: .weak
                default: .global
                }
            let function = RawFunction(
                address: symbol.st_value & mask, size: symbol.st_size,
                room: symbol.st_size == 0 ? room(symbol) : 0, name: name, versionInName: version,
                isIndirect: type == STT_GNU_IFUNC, binding: binding, index: Int(index))
            if !body(function) { return }
        }
    }
}

extension ELFFile {
    private borrowing func room(_ symbol: GElf_Sym) -> UInt64 {
        guard let header = section(number: UInt32(symbol.st_shndx))?.header, symbol.st_value >= header.sh_addr,
            symbol.st_value - header.sh_addr < header.sh_size
        else { return 1 }
        return header.sh_size - (symbol.st_value - header.sh_addr)
    }
}

extension UnsafeRawBufferPointer {
    /// `malloc@@GLIBC_2.2.5` as `malloc` and `GLIBC_2.2.5`. Swift's macro names begin with `@`.
    fileprivate func splitAtVersion() -> (UnsafeRawBufferPointer, UnsafeRawBufferPointer?) {
        guard let mark = firstIndex(of: UInt8(ascii: "@")), mark > 0 else { return (self, nil) }
        let name = UnsafeRawBufferPointer(rebasing: self[..<mark])
        let version = self[mark...].drop { $0 == UInt8(ascii: "@") }
        return (name, UnsafeRawBufferPointer(rebasing: version))
    }
}
