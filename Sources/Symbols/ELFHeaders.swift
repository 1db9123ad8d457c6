// SPDX-License-Identifier: Apache-2.0
import CSymbols
import Glibc

/// The headers of an ELF file, each read where it stands. In Swift, for any user made them: no index leads beyond the
/// bytes that there are.
///
/// A class, for the section headers are read once, and the names of sections too.
final class ELFHeaders {
    /// As 64-bit files have it.
    let main: GElf_Ehdr
    let isWide: Bool
    let isLittle: Bool
    /// The numbers of headers, at most `ELFCounts`' ones.
    private let counts: ELFCounts
    private let bytes: FileBytes
    private lazy var sectionHeaders: [GElf_Shdr?] = readSections()
    private lazy var sectionNames: [UInt8] = readNames()
    /// A longer table of names is no linker's.
    private static let longestNames = 1 << 20

    /// Nil where there is no ELF header.
    init?(_ bytes: FileBytes, _ counts: ELFCounts) {
        guard let kind = bytes.number(at: UInt64(EI_CLASS), as: UInt8.self, isLittle: true),
            let order = bytes.number(at: UInt64(EI_DATA), as: UInt8.self, isLittle: true),
            let version = bytes.number(at: UInt64(EI_VERSION), as: UInt8.self, isLittle: true),
            [ELFCLASS32, ELFCLASS64].contains(Int32(kind)), [ELFDATA2LSB, ELFDATA2MSB].contains(Int32(order)),
            Int32(version) == EV_CURRENT
        else { return nil }
        let (isWide, isLittle) = (Int32(kind) == ELFCLASS64, Int32(order) == ELFDATA2LSB)
        var fields = ELFFields(bytes, at: UInt64(EI_NIDENT), isWide: isWide, isLittle: isLittle)
        var header = GElf_Ehdr()
        header.e_type = fields.half()
        header.e_machine = fields.half()
        header.e_version = fields.word()
        header.e_entry = fields.long()
        header.e_phoff = fields.long()
        header.e_shoff = fields.long()
        header.e_flags = fields.word()
        header.e_ehsize = fields.half()
        header.e_phentsize = fields.half()
        header.e_phnum = fields.half()
        header.e_shentsize = fields.half()
        header.e_shnum = fields.half()
        header.e_shstrndx = fields.half()
        guard fields.isWhole else { return nil }
        main = header
        (self.isWide, self.isLittle, self.counts, self.bytes) = (isWide, isLittle, counts, bytes)
    }

    // MARK: segments

    var programCount: Int { main.e_phoff == 0 ? 0 : Int(clamping: counts.segments) }

    /// Nil where the file ends before.
    func program(_ index: Int) -> GElf_Phdr? {
        let size: UInt64 = isWide ? 56 : 32
        let (place, overflow) = main.e_phoff.addingReportingOverflow(UInt64(index) * size)
        guard !overflow else { return nil }
        var fields = ELFFields(bytes, at: place, isWide: isWide, isLittle: isLittle)
        var header = GElf_Phdr()
        header.p_type = fields.word()
        if isWide { header.p_flags = fields.word() }
        header.p_offset = fields.long()
        header.p_vaddr = fields.long()
        header.p_paddr = fields.long()
        header.p_filesz = fields.long()
        header.p_memsz = fields.long()
        if !isWide { header.p_flags = fields.word() }
        header.p_align = fields.long()
        return fields.isWhole ? header : nil
    }

    // MARK: sections

    /// The number of section headers, the first of which is none.
    var sectionCount: Int { sectionHeaders.count }

    /// Nil where there is none with that number, or the file ends before.
    func section(_ number: Int) -> GElf_Shdr? {
        sectionHeaders.indices.contains(number) ? sectionHeaders[number] : nil
    }

    private func readSections() -> [GElf_Shdr?] {
        guard main.e_shoff != 0 else { return [] }
        let size: UInt64 = isWide ? 64 : 40
        return (0..<counts.sections).map { number in
            let (place, overflow) = main.e_shoff.addingReportingOverflow(number * size)
            guard !overflow else { return nil }
            var fields = ELFFields(bytes, at: place, isWide: isWide, isLittle: isLittle)
            var header = GElf_Shdr()
            header.sh_name = fields.word()
            header.sh_type = fields.word()
            header.sh_flags = fields.long()
            header.sh_addr = fields.long()
            header.sh_offset = fields.long()
            header.sh_size = fields.long()
            header.sh_link = fields.word()
            header.sh_info = fields.word()
            header.sh_addralign = fields.long()
            header.sh_entsize = fields.long()
            return fields.isWhole ? header : nil
        }
    }

    private func readNames() -> [UInt8] {
        var number = Int(main.e_shstrndx)
        if number == 0xffff { number = section(0).map { Int($0.sh_link) } ?? 0 }
        guard number > 0, let names = section(number), Int32(bitPattern: names.sh_type) == SHT_STRTAB else { return [] }
        let size = Int(min(names.sh_size, UInt64(Self.longestNames)))
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
            filled = bytes.read(at: names.sh_offset, into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    /// Is that the section's name?
    func has(_ name: StaticString, _ header: GElf_Shdr) -> Bool {
        let (start, length) = (Int(header.sh_name), name.utf8CodeUnitCount)
        guard start < sectionNames.count, length < sectionNames.count - start,
            sectionNames[start + length] == 0
        else { return false }
        return name.withUTF8Buffer { sectionNames[start..<(start + length)].elementsEqual($0) }
    }
}

/// Fields of a header, one after another.
struct ELFFields {
    private let storage: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)
    private let count: Int
    private var position = 0
    private let isWide: Bool
    private let isLittle: Bool
    /// Were all fields so far in the file?
    private(set) var isWhole = true

    /// - Parameter place: of a header of 64 bytes at most.
    init(_ bytes: FileBytes, at place: UInt64, isWide: Bool, isLittle: Bool) {
        var storage: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)
        count = withUnsafeMutableBytes(of: &storage) { bytes.read(at: place, into: $0) }
        (self.storage, self.isWide, self.isLittle) = (storage, isWide, isLittle)
    }

    /// 0 where the file ends before.
    private mutating func next<Number: FixedWidthInteger & BitwiseCopyable>(_: Number.Type) -> Number {
        let size = MemoryLayout<Number>.size
        guard isWhole, position + size <= count else {
            isWhole = false
            return 0
        }
        defer { position += size }
        let raw = withUnsafeBytes(of: storage) { $0.loadUnaligned(fromByteOffset: position, as: Number.self) }
        return isLittle ? Number(littleEndian: raw) : Number(bigEndian: raw)
    }

    mutating func half() -> UInt16 { next(UInt16.self) }
    mutating func word() -> UInt32 { next(UInt32.self) }
    /// As wide as the file's addresses.
    mutating func long() -> UInt64 { isWide ? next(UInt64.self) : UInt64(next(UInt32.self)) }
}
