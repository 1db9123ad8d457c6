// SPDX-License-Identifier: Apache-2.0
package import CSymbols
import Glibc
package import SystemLayer
package import SystemPackage

/// Owner of a libelf handle on a file or on bytes in memory.
package struct ELFFile: ~Copyable {
    package let path: FilePath
    package let elf: OpaquePointer
    /// What libelf reads, as sections are asked for.
    package let bytes: FileBytes
    /// What may be taken of memory.
    package let share: FileShare
    private let loaded: LoadedSections

    /// `path` is where debug files are looked for and what messages name.
    ///
    /// Throws `.system`, `.leftOut`, or `.malformedELF` for anything but an ELF object.
    package init(path: FilePath, _ reading: FileReading = FileReading()) throws(SymbolError) {
        let file: OpenFile
        do throws(FileError) { file = try OpenFile(regular: path) } catch {
            throw error.code == .notSupported
                ? .malformedELF(path: path.description, reason: "not a regular file") : SymbolError(error)
        }
        try self.init(file, path: path, reading)
    }

    package init(
        _ file: consuming OpenFile, path: FilePath, _ reading: FileReading = FileReading()
    ) throws(SymbolError) {
        let status: stat
        do throws(FileError) { status = try file.status() } catch { throw SymbolError(error) }
        let bytes = FileBytes(file)
        try Self.check(bytes, path)
        let elf = try Self.checked(elf_begin(bytes.descriptor, ELF_C_READ, nil), path)
        self.init(elf: elf, path: path, bytes: bytes, share: FileShare(reading, status))
    }

    /// A copy of `bytes`; `name` is for messages. Throws `.leftOut` or `.malformedELF`.
    package init(
        bytes: [UInt8], name: FilePath, _ reading: FileReading = FileReading()
    ) throws(SymbolError) {
        // SAFETY: FileBytes frees what malloc gave.
        guard let start = malloc(max(bytes.count, 1)) else { throw .leftOut(path: name.description, reason: .memory) }
        let memory = UnsafeMutableRawBufferPointer(start: start, count: bytes.count)
        memory.copyBytes(from: bytes)
        try self.init(taking: FileBytes(taking: memory), name: name, FileShare(reading, onDisk: bytes.count))
    }

    /// Bytes in memory that are counted already.
    init(taking bytes: FileBytes, name: FilePath, _ share: FileShare) throws(SymbolError) {
        try Self.check(bytes, name)
        // SAFETY: libelf wants memory that stays put and that it may write to: `bytes` lives as long as the handle.
        let start = bytes.inMemory.baseAddress?.assumingMemoryBound(to: CChar.self)
        let elf = try Self.checked(elf_memory(start, bytes.inMemory.count), name)
        self.init(elf: elf, path: name, bytes: bytes, share: share)
    }

    private init(elf: OpaquePointer, path: FilePath, bytes: FileBytes, share: FileShare) {
        self.elf = elf
        self.path = path
        self.bytes = bytes
        self.share = share
        loaded = LoadedSections()
    }

    deinit { elf_end(elf) }

    private static func check(_ bytes: FileBytes, _ path: FilePath) throws(SymbolError) {
        guard let counts = ELFCounts(bytes) else {
            throw .malformedELF(path: path.description, reason: "no ELF header")
        }
        guard counts.isModest else { throw .leftOut(path: path.description, reason: .memory) }
    }

    private static let version = elf_version(UInt32(EV_CURRENT))

    private static func checked(
        _ open: @autoclosure () -> OpaquePointer?, _ path: FilePath
    ) throws(SymbolError) -> OpaquePointer {
        _ = version
        guard let elf = open() else { throw .malformedELF(path: path.description, reason: lastReason()) }
        guard elf_kind(elf) == ELF_K_ELF else {
            elf_end(elf)
            throw .malformedELF(path: path.description, reason: "no ELF header")
        }
        return elf
    }

    package static func lastReason() -> String {
        elf_errmsg(-1).map { String(cString: $0) } ?? "unknown"
    }

    /// Bytes of it on disk, or in memory.
    package var onDisk: Int { share.onDisk }

    /// Which file it is; nil for an image in memory.
    package borrowing func identity() -> FileIdentity? {
        bytes.status.map { FileIdentity($0) }
    }

    /// The headers, decoded. Throws `.malformedELF` for what can't be loaded as a program or library.
    package borrowing func image() throws(SymbolError) -> ELFImage {
        var header = GElf_Ehdr()
        guard gelf_getehdr(elf, &header) != nil else { throw malformed(Self.lastReason()) }
        guard [ET_EXEC, ET_DYN].contains(Int32(header.e_type)) else {
            throw malformed("neither an executable nor a shared object")
        }
        var segments: [ELFImage.Segment] = []
        var buildID: BuildID?
        for index in 0..<programHeaderCount {
            var program = GElf_Phdr()
            guard gelf_getphdr(elf, index, &program) != nil else { throw malformed(Self.lastReason()) }
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

    private var programHeaderCount: Int32 {
        var count = 0
        return elf_getphdrnum(elf, &count) == 0 ? Int32(clamping: count) : 0
    }

    /// Are its numbers little-endian?
    package var isLittle: Bool {
        var size = 0
        guard let identity = elf_getident(elf, &size), size > Int(EI_DATA) else { return true }
        return Int32(identity[Int(EI_DATA)]) == ELFDATA2LSB
    }

    private borrowing func buildID(in note: GElf_Phdr) -> BuildID? {
        guard note.p_filesz <= 1 << 16, share.take(Int(note.p_filesz)), let offset = Int64(exactly: note.p_offset)
        else { return nil }
        let type = note.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR
        guard let data = elf_getdata_rawchunk(elf, offset, Int(note.p_filesz), type) else { return nil }
        guard let bytes = data.pointee.bytes else { return nil }
        var header = GElf_Nhdr()
        var position = 0
        var (nameOffset, descriptorOffset) = (0, 0)
        while true {
            let next = gelf_getnote(data, position, &header, &nameOffset, &descriptorOffset)
            guard next > position else { return nil }
            position = next
            let length = Int(header.n_descsz)
            // gelf_getnote has checked that the name and the descriptor lie within the data; checked again by slicing.
            guard header.n_type == NT_GNU_BUILD_ID, header.n_namesz == 4, (1...64).contains(length),
                bytes.count >= nameOffset + 4, bytes.count >= descriptorOffset + length,
                bytes[nameOffset..<(nameOffset + 4)].elementsEqual("GNU\0".utf8)
            else { continue }
            return BuildID(bytes: Array(bytes[descriptorOffset..<(descriptorOffset + length)]))
        }
    }

    private borrowing func debugLink() -> DebugLink? {
        guard let section = section(named: ".gnu_debuglink"), section.header.sh_size <= 1 << 13,
            let bytes = contents(section),
            let end = bytes.firstIndex(of: 0), end > 0
        else { return nil }
        let position = (end + 4) & ~3
        guard bytes.count >= position + 4 else { return nil }
        let raw = bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)
        return DebugLink(
            name: FilePath(bytes: bytes[..<end]), crc32: isLittle ? UInt32(littleEndian: raw) : UInt32(bigEndian: raw))
    }

    // MARK: Sections

    package struct Section {
        package let handle: OpaquePointer
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
        var handle = elf_nextscn(elf, nil)
        while let section = handle {
            var header = GElf_Shdr()
            if gelf_getshdr(section, &header) != nil, !body(Section(handle: section, header: header)) { return }
            handle = elf_nextscn(elf, section)
        }
    }

    /// The first section of that name.
    package borrowing func section(named name: StaticString) -> Section? {
        var names = 0
        guard elf_getshdrstrndx(elf, &names) == 0, let strings = section(number: UInt32(clamping: names)),
            take(strings)
        else { return nil }
        let index = names
        var found: Section?
        forEachSection { section in
            // SAFETY: elf_strptr gives NULL or a string that it has checked to end inside its section.
            guard let text = elf_strptr(elf, index, Int(section.header.sh_name)),
                strcmp(text, UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)) == 0
            else { return true }
            found = section
            return false
        }
        return found
    }

    /// Counts what libelf is to read, once; false where that is too much.
    private borrowing func take(_ section: Section) -> Bool {
        let number = elf_ndxscn(section.handle)
        if loaded.numbers.contains(number) { return true }
        guard section.header.sh_type != SHT_NOBITS, section.header.sh_size <= UInt64(Int32.max),
            share.take(Int(section.header.sh_size))
        else { return false }
        loaded.numbers.insert(number)
        return true
    }

    /// The section's bytes as they are in the file, valid as long as this handle; nil when absent, unreadable or too much.
    package borrowing func contents(_ section: Section) -> UnsafeRawBufferPointer? {
        data(section)?.pointee.bytes
    }

    /// The section's data, in host byte order.
    package borrowing func data(_ section: Section) -> UnsafeMutablePointer<Elf_Data>? {
        take(section) ? elf_getdata(section.handle, nil) : nil
    }

    /// The section's bytes as they are in the file, or were before they were compressed.
    ///
    /// - Throws: `.leftOut` where they are too many; `.malformedELF`.
    package borrowing func unpackedData(_ section: Section) throws(SymbolError) -> UnsafeMutablePointer<Elf_Data> {
        guard take(section) else { throw .leftOut(path: path.description, reason: .memory) }
        if section.header.sh_flags & UInt64(SHF_COMPRESSED) != 0 {
            guard share.take(Int(clamping: unpackedSize(section))) else {
                throw .leftOut(path: path.description, reason: .memory)
            }
            guard elf_compress(section.handle, 0, 0) >= 0 else { throw malformed(Self.lastReason()) }
        }
        guard let data = elf_rawdata(section.handle, nil), data.pointee.d_buf != nil, data.pointee.d_size > 0 else {
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
        var header = GElf_Chdr()
        return gelf_getchdr(section.handle, &header) != nil ? header.ch_size : section.header.sh_size
    }

    /// The section with that number.
    package borrowing func section(number: UInt32) -> Section? {
        guard let handle = elf_getscn(elf, Int(number)) else { return nil }
        var header = GElf_Shdr()
        guard gelf_getshdr(handle, &header) != nil else { return nil }
        return Section(handle: handle, header: header)
    }
}

/// Sections that libelf has read.
private final class LoadedSections {
    var numbers: Set<Int> = []
}

extension Elf_Data {
    /// What libelf has read, as bytes.
    package var bytes: UnsafeRawBufferPointer? {
        guard let start = d_buf, d_size > 0 else { return nil }
        // SAFETY: libelf owns d_size bytes at d_buf until elf_end.
        return UnsafeRawBufferPointer(start: start, count: d_size)
    }
}
