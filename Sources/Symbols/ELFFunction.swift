// SPDX-License-Identifier: Apache-2.0
import CSymbols
import Glibc
internal import SystemPackage

/// A function symbol as it stands in a symbol table, its name still bytes of the file.
package struct RawFunction {
    /// As linked.
    package let address: UInt64
    package let size: UInt64
    /// Bytes from `address` to the end of its section.
    package let room: UInt64
    /// Where its name begins in the table's strings.
    package let name: UInt32
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

    /// Bytes of a name; longer ones are cut.
    package static var longestName: Int { 1 << 14 }

    /// A table of symbols, and the strings with their names.
    package struct Symbols {
        package let strings: StringTable
        fileprivate let header: GElf_Shdr
    }

    /// Nil when the table is absent, or has no strings.
    package borrowing func symbols(in table: SymbolTable) -> Symbols? {
        var found: Section?
        forEachSection { section in
            guard section.header.sh_type == table.sectionType else { return true }
            found = section
            return false
        }
        guard let found, found.header.sh_flags & UInt64(SHF_COMPRESSED) == 0,
            let link = section(number: found.header.sh_link), link.header.sh_type == SHT_STRTAB,
            let strings = StringTable(bytes, link)
        else { return nil }
        return Symbols(strings: strings, header: found.header)
    }

    /// Calls `body` for each defined function of a table, in the table's order, until it gives false. The table is read
    /// piece by piece.
    ///
    /// - Throws: `.leftOut` where there is no time for so many.
    package borrowing func forEachFunction(
        in symbols: Symbols, _ body: (RawFunction) throws(SymbolError) -> Bool
    ) throws(SymbolError) {
        let (isWide, isLittle) = (headers.isWide, isLittle)
        // On 32-bit ARM the lowest bit says Thumb.
        let mask: UInt64 = Int32(headers.main.e_machine) == EM_ARM ? ~1 : ~0
        let entrySize = isWide ? MemoryLayout<Elf64_Sym>.size : MemoryLayout<Elf32_Sym>.size
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: entrySize * 4096, alignment: 8)
        defer { piece.deallocate() }

        // A table of a hole in the file is none; where the file system compresses, it has more than is on disk.
        guard symbols.header.sh_size <= UInt64(onDisk) * 16 + 1 << 16 else {
            throw .leftOut(path: path.description, reason: .memory)
        }
        let total = Int(symbols.header.sh_size) / entrySize
        var index = 0
        while index < total {
            let place = symbols.header.sh_offset &+ UInt64(index * entrySize)
            let got = bytes.read(at: place, into: .init(rebasing: piece.prefix((total - index) * entrySize)))
            guard got >= entrySize else { return }
            guard !share.reading.isSpent else { throw .leftOut(path: path.description, reason: .time) }
            for offset in stride(from: 0, through: got - entrySize, by: entrySize) {
                defer { index += 1 }
                let entry = UnsafeRawBufferPointer(rebasing: piece[offset..<(offset + entrySize)])
                let symbol = isWide ? Symbol(wide: entry, isLittle) : Symbol(narrow: entry, isLittle)
                guard symbol.isFunction, UInt64(symbol.name) < symbols.strings.size else { continue }
                let function = RawFunction(
                    address: symbol.value & mask, size: symbol.size, room: symbol.size == 0 ? room(symbol) : 0,
                    name: symbol.name, isIndirect: symbol.type == STT_GNU_IFUNC, binding: symbol.binding, index: index)
                if try !body(function) { return }
            }
        }
    }
}

/// An entry of a symbol table.
private struct Symbol {
    let name: UInt32
    let info: UInt8
    let section: UInt16
    let value: UInt64
    let size: UInt64

    init(wide bytes: UnsafeRawBufferPointer, _ isLittle: Bool) {
        let raw = bytes.loadUnaligned(as: Elf64_Sym.self)
        name = isLittle ? UInt32(littleEndian: raw.st_name) : UInt32(bigEndian: raw.st_name)
        info = raw.st_info
        section = isLittle ? UInt16(littleEndian: raw.st_shndx) : UInt16(bigEndian: raw.st_shndx)
        value = isLittle ? UInt64(littleEndian: raw.st_value) : UInt64(bigEndian: raw.st_value)
        size = isLittle ? UInt64(littleEndian: raw.st_size) : UInt64(bigEndian: raw.st_size)
    }

    init(narrow bytes: UnsafeRawBufferPointer, _ isLittle: Bool) {
        let raw = bytes.loadUnaligned(as: Elf32_Sym.self)
        name = isLittle ? UInt32(littleEndian: raw.st_name) : UInt32(bigEndian: raw.st_name)
        info = raw.st_info
        section = isLittle ? UInt16(littleEndian: raw.st_shndx) : UInt16(bigEndian: raw.st_shndx)
        value = UInt64(isLittle ? UInt32(littleEndian: raw.st_value) : UInt32(bigEndian: raw.st_value))
        size = UInt64(isLittle ? UInt32(littleEndian: raw.st_size) : UInt32(bigEndian: raw.st_size))
    }

    var type: Int32 { Int32(info & 0xf) }

    var isFunction: Bool {
        (type == STT_FUNC || type == STT_GNU_IFUNC) && section != 0 && value != 0 && name != 0
    }

    var binding: RawFunction.Binding {
        switch Int32(info >> 4) {
        case STB_LOCAL: .local
        case STB_WEAK: .weak
        default: .global
        }
    }
}

extension ELFFile {
    private borrowing func room(_ symbol: Symbol) -> UInt64 {
        guard let header = section(number: UInt32(symbol.section))?.header, symbol.value >= header.sh_addr,
            symbol.value - header.sh_addr < header.sh_size
        else { return 1 }
        return header.sh_size - (symbol.value - header.sh_addr)
    }
}

extension UnsafeRawBufferPointer {
    /// `malloc@@GLIBC_2.2.5` as `malloc` and `GLIBC_2.2.5`. Swift's macro names begin with `@`.
    func splitAtVersion() -> (UnsafeRawBufferPointer, UnsafeRawBufferPointer?) {
        guard let mark = firstIndex(of: UInt8(ascii: "@")), mark > 0 else { return (self, nil) }
        let name = UnsafeRawBufferPointer(rebasing: self[..<mark])
        let version = self[mark...].drop { $0 == UInt8(ascii: "@") }
        return (name, UnsafeRawBufferPointer(rebasing: version))
    }
}
