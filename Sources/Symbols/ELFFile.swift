// SPDX-License-Identifier: Apache-2.0
package import CSymbols
import Glibc
package import SystemLayer
package import SystemPackage

/// An ELF file, on disk or in memory.
///
/// Its headers, tables of symbols and notes are read here, without any library. What has to be unpacked or is DWARF is
/// libelf's (`libelf`).
package struct ELFFile: ~Copyable {
    package let path: FilePath
    let headers: ELFHeaders
    /// What is read as it is asked for.
    package let bytes: FileBytes
    /// What may be taken of memory.
    package let share: FileShare
    private let loaded: LoadedSections
    /// Who can have made bytes in memory.
    private let maker: FileOwner

    /// `path` is where debug files are looked for and what messages name.
    ///
    /// - Throws: `.system`, `.leftOut`, or `.malformedELF` for anything but an ELF object.
    package init(path: FilePath, _ reading: FileReading = FileReading()) throws(SymbolError) {
        let file: OpenFile
        do throws(FileError) { file = try OpenFile(regular: path) } catch {
            throw error.code == .notSupported
                ? .malformedELF(path: path.description, reason: "not a regular file") : SymbolError(error)
        }
        try self.init(file, path: path, reading)
    }

    /// The same of a file that is open.
    ///
    /// - Throws: `.system` or `.malformedELF`.
    package init(
        _ file: consuming OpenFile, path: FilePath, _ reading: FileReading = FileReading()
    ) throws(SymbolError) {
        let status: stat
        do throws(FileError) { status = try file.status() } catch { throw SymbolError(error) }
        let bytes = FileBytes(file)
        self.init(try Self.headers(bytes, path), path: path, bytes: bytes, share: FileShare(reading, status))
    }

    /// A copy of `bytes`; `name` is for messages.
    ///
    /// - Throws: `.leftOut` or `.malformedELF`.
    package init(
        bytes: [UInt8], name: FilePath, _ reading: FileReading = FileReading(), madeBy maker: FileOwner = .user(.max)
    ) throws(SymbolError) {
        // SAFETY: FileBytes frees what malloc gave.
        guard let start = malloc(max(bytes.count, 1)) else { throw .leftOut(path: name.description, reason: .memory) }
        let memory = UnsafeMutableRawBufferPointer(start: start, count: bytes.count)
        memory.copyBytes(from: bytes)
        try self.init(
            taking: FileBytes(taking: memory), name: name, FileShare(reading, onDisk: bytes.count), madeBy: maker)
    }

    /// Bytes in memory that are counted already.
    init(
        taking bytes: FileBytes, name: FilePath, _ share: FileShare, madeBy maker: FileOwner
    ) throws(SymbolError) {
        self.init(try Self.headers(bytes, name), path: name, bytes: bytes, share: share, maker: maker)
    }

    private init(
        _ headers: ELFHeaders, path: FilePath, bytes: FileBytes, share: FileShare, maker: FileOwner = .user(.max)
    ) {
        self.maker = maker
        self.headers = headers
        self.path = path
        self.bytes = bytes
        self.share = share
        loaded = LoadedSections(bytes)
    }

    private static func headers(_ bytes: FileBytes, _ path: FilePath) throws(SymbolError) -> ELFHeaders {
        guard let counts = ELFCounts(bytes), let headers = ELFHeaders(bytes, counts) else {
            throw .malformedELF(path: path.description, reason: "no ELF header")
        }
        guard counts.isModest else { throw .leftOut(path: path.description, reason: .memory) }
        return headers
    }

    /// libelf's handle on the file, made when it is first asked for; valid as long as this.
    ///
    /// - Throws: `.malformedELF`.
    package borrowing func libelf() throws(SymbolError) -> OpaquePointer {
        if let known = loaded.handle { return known }
        _ = Self.version
        // SAFETY: libelf wants memory that stays put and that it may write to: `bytes` lives as long as the handle.
        let start = bytes.inMemory.baseAddress?.assumingMemoryBound(to: CChar.self)
        let made =
            bytes.descriptor >= 0
            ? elf_begin(bytes.descriptor, ELF_C_READ, nil) : elf_memory(start, bytes.inMemory.count)
        guard let elf = made else { throw malformed(Self.lastReason()) }
        loaded.handle = elf
        guard elf_kind(elf) == ELF_K_ELF else { throw malformed("no ELF header") }
        return elf
    }

    private static let version = elf_version(UInt32(EV_CURRENT))

    package static func lastReason() -> String {
        elf_errmsg(-1).map { String(cString: $0) } ?? "unknown"
    }

    /// Bytes of it on disk, or in memory.
    package var onDisk: Int { share.onDisk }

    /// Which file it is; nil for an image in memory.
    package borrowing func identity() -> FileIdentity? {
        bytes.status.map { FileIdentity($0) }
    }

    /// Who can have made it.
    package borrowing func owner() -> FileOwner { identity().map { FileOwner($0) } ?? maker }

    /// The headers, decoded.
    ///
    /// - Throws: `.malformedELF` for what can't be loaded as a program or library.
    package borrowing func image() throws(SymbolError) -> ELFImage {
        let header = headers.main
        guard [ET_EXEC, ET_DYN].contains(Int32(header.e_type)) else {
            throw malformed("neither an executable nor a shared object")
        }
        var segments: [ELFImage.Segment] = []
        var buildID: BuildID?
        for index in 0..<headers.programCount {
            guard let program = headers.program(index) else { throw malformed("its program headers are cut off") }
            switch Int32(truncatingIfNeeded: program.p_type) {
            case PT_LOAD:
                segments.append(
                    .init(
                        fileOffset: program.p_offset, address: program.p_vaddr, fileSize: program.p_filesz,
                        isExecutable: program.p_flags & UInt32(PF_X) != 0))
            case PT_NOTE:
                buildID = buildID ?? self.buildID(in: program)
            default:
                break
            }
        }
        return ELFImage(
            isFixed: Int32(header.e_type) == ET_EXEC, machine: header.e_machine, segments: segments,
            buildID: buildID, debugLink: debugLink())
    }

    package borrowing func malformed(_ reason: String) -> SymbolError {
        .malformedELF(path: path.description, reason: reason)
    }

    /// Are its numbers little-endian?
    package var isLittle: Bool { headers.isLittle }

    private borrowing func buildID(in note: GElf_Phdr) -> BuildID? {
        guard note.p_filesz <= 1 << 16, let bytes = copy(at: note.p_offset, count: Int(note.p_filesz)) else {
            return nil
        }
        return ELFNotes.buildID(in: bytes, alignment: note.p_align == 8 ? 8 : 4, isLittle: isLittle)
    }

    /// A part of the file; nil where it ends before.
    private borrowing func copy(at place: UInt64, count: Int) -> [UInt8]? {
        let copy = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = bytes.read(at: place, into: UnsafeMutableRawBufferPointer(buffer))
        }
        return copy.count == count ? copy : nil
    }

    private borrowing func debugLink() -> DebugLink? {
        guard let section = section(named: ".gnu_debuglink"), section.size <= 1 << 13,
            let bytes = copy(at: section.fileOffset, count: Int(section.size)),
            let end = bytes.firstIndex(of: 0), end > 0
        else { return nil }
        let position = (end + 4) & ~3
        guard bytes.count >= position + 4 else { return nil }
        let raw = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: UInt32.self) }
        let name = bytes.withUnsafeBytes { FilePath(bytes: UnsafeRawBufferPointer(rebasing: $0[..<end])) }
        return DebugLink(name: name, crc32: isLittle ? UInt32(littleEndian: raw) : UInt32(bigEndian: raw))
    }

    // MARK: Sections

    package struct Section {
        package let number: Int
        package let header: GElf_Shdr

        /// As linked.
        package var address: UInt64 { header.sh_addr }
        /// Where it begins in the file.
        package var fileOffset: UInt64 { header.sh_offset }
        /// Bytes in the file; 0 where it has none there.
        package var size: UInt64 { header.sh_type == SHT_NOBITS ? 0 : header.sh_size }

        /// Does it hold code that is loaded?
        package var isCode: Bool {
            let flags = UInt64(SHF_EXECINSTR) | UInt64(SHF_ALLOC)
            return header.sh_type == SHT_PROGBITS && header.sh_flags & flags == flags
        }
    }

    /// Calls `body` for each section until it gives false.
    package borrowing func forEachSection(_ body: (Section) -> Bool) {
        for number in 1..<max(1, headers.sectionCount) {
            if let header = headers.section(number), !body(Section(number: number, header: header)) { return }
        }
    }

    /// The first section of that name.
    package borrowing func section(named name: StaticString) -> Section? {
        var found: Section?
        let headers = headers
        forEachSection { section in
            guard headers.has(name, section.header) else { return true }
            found = section
            return false
        }
        return found
    }

    /// The section with that number.
    package borrowing func section(number: UInt32) -> Section? {
        headers.section(Int(number)).map { Section(number: Int(number), header: $0) }
    }

    // MARK: by libelf

    /// Counts what libelf is to read, once; false where that is too much.
    private borrowing func take(_ section: Section) -> Bool {
        if loaded.numbers.contains(section.number) { return true }
        guard section.header.sh_type != SHT_NOBITS, section.header.sh_size <= UInt64(Int32.max),
            share.take(Int(section.header.sh_size))
        else { return false }
        loaded.numbers.insert(section.number)
        return true
    }

    /// The section's bytes as they are in the file, valid as long as this handle; nil when absent, unreadable or too much.
    package borrowing func contents(_ section: Section) -> UnsafeRawBufferPointer? {
        guard take(section), let elf = try? libelf(), let handle = elf_getscn(elf, section.number) else { return nil }
        return elf_rawdata(handle, nil)?.pointee.bytes
    }

    /// libelf's handle on a section.
    ///
    /// - Throws: `.malformedELF`.
    package borrowing func handle(_ section: Section) throws(SymbolError) -> OpaquePointer {
        guard let handle = elf_getscn(try libelf(), section.number) else { throw malformed(Self.lastReason()) }
        return handle
    }

    /// The section's bytes as they are in the file, or were before they were compressed.
    ///
    /// - Throws: `.leftOut` where they are too many; `.malformedELF`.
    package borrowing func unpackedData(_ section: Section) throws(SymbolError) -> UnsafeMutablePointer<Elf_Data> {
        guard take(section) else { throw .leftOut(path: path.description, reason: .memory) }
        let handle = try handle(section)
        if section.header.sh_flags & UInt64(SHF_COMPRESSED) != 0 {
            guard share.take(Int(clamping: unpackedSize(section))) else {
                throw .leftOut(path: path.description, reason: .memory)
            }
            guard elf_compress(handle, 0, 0) >= 0 else { throw malformed(Self.lastReason()) }
        }
        guard let data = elf_rawdata(handle, nil), data.pointee.d_buf != nil, data.pointee.d_size > 0 else {
            throw malformed(Self.lastReason())
        }
        return data
    }

    /// Bytes of a section, before it was compressed.
    package borrowing func unpackedSize(_ section: Section) -> UInt64 {
        guard section.header.sh_flags & UInt64(SHF_COMPRESSED) != 0 else {
            // .zdebug_info and the like, of old: "ZLIB" and the size
            let start = section.header.sh_offset
            guard bytes.number(at: start, as: UInt32.self, isLittle: false) == 0x5a4c_4942,
                let size = bytes.number(at: start &+ 4, as: UInt64.self, isLittle: false)
            else { return section.header.sh_size }
            return max(size, section.header.sh_size)
        }
        // Elf64_Chdr, Elf32_Chdr
        var fields = ELFFields(bytes, at: section.header.sh_offset, isWide: headers.isWide, isLittle: isLittle)
        _ = fields.word()
        if headers.isWide { _ = fields.word() }
        let size = fields.long()
        return fields.isWhole ? size : section.header.sh_size
    }
}

/// What libelf has read; owner of its handle.
private final class LoadedSections {
    var numbers: Set<Int> = []
    var handle: OpaquePointer?
    /// What the handle reads.
    private let bytes: FileBytes

    init(_ bytes: FileBytes) { self.bytes = bytes }

    deinit { elf_end(handle) }
}

extension Elf_Data {
    /// What libelf has read, as bytes.
    package var bytes: UnsafeRawBufferPointer? {
        guard let start = d_buf, d_size > 0 else { return nil }
        // SAFETY: libelf owns d_size bytes at d_buf until elf_end.
        return UnsafeRawBufferPointer(start: start, count: d_size)
    }
}
