// SPDX-License-Identifier: Apache-2.0
package import CSymbols
import Glibc
package import SystemLayer
package import SystemPackage

/// Owner of a libelf handle on a file or on bytes in memory.
///
/// Files are read (`ELF_C_READ`), never mapped: a file cut short while it is mapped would kill the reader by SIGBUS.
package struct ELFFile: ~Copyable {
    /// A section of more bytes isn't read: a sparse file may promise any size.
    package static let largestSection: UInt64 = 1 << 30

    package let path: FilePath
    package let elf: OpaquePointer
    private let memory: UnsafeMutableBufferPointer<CChar>?
    /// Read by libelf as sections are asked for.
    private let file: OpenFile?

    /// `path` is where debug files are looked for and what messages name; `actual`, when given, is what gets opened.
    ///
    /// Throws `.system`, or `.malformedELF` for anything but an ELF object.
    package init(path: FilePath, opening actual: FilePath? = nil) throws(SymbolError) {
        let file: OpenFile
        do throws(FileError) { file = try OpenFile(reading: actual ?? path) } catch { throw SymbolError(error) }
        try self.init(file, path: path)
    }

    package init(_ file: consuming OpenFile, path: FilePath) throws(SymbolError) {
        let status: stat
        do throws(FileError) { status = try file.status() } catch { throw SymbolError(error) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .malformedELF(path: path.description, reason: "not a regular file")
        }
        elf = try Self.checked(elf_begin(file.descriptor, ELF_C_READ, nil), path)
        self.path = path
        descriptor = file.descriptor
        self.file = consume file
        memory = nil
    }

    /// A copy of `bytes`; `name` is for messages. Throws `.malformedELF`.
    package init(bytes: [UInt8], name: FilePath) throws(SymbolError) {
        // SAFETY: libelf wants memory that stays put and that it may write to; freed in deinit, after elf_end.
        let memory = UnsafeMutableBufferPointer<CChar>.allocate(capacity: max(bytes.count, 1))
        _ = memory.initialize(from: bytes.lazy.map { CChar(bitPattern: $0) })
        let checked: OpaquePointer
        do {
            checked = try Self.checked(elf_memory(memory.baseAddress, bytes.count), name)
        } catch {
            memory.deallocate()
            throw error
        }
        elf = checked
        path = name
        descriptor = -1
        file = nil
        self.memory = memory
    }

    deinit {
        elf_end(elf)
        memory?.deallocate()
    }

    /// The file's; -1 for bytes in memory.
    package let descriptor: Int32

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

    /// Which file it is; nil for an image in memory.
    package borrowing func identity() -> FileIdentity? {
        (try? file?.status()).map { FileIdentity($0) }
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

    private borrowing func buildID(in note: GElf_Phdr) -> BuildID? {
        guard note.p_filesz <= 1 << 20, let offset = Int64(exactly: note.p_offset) else { return nil }
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
        guard let section = section(named: ".gnu_debuglink"), let bytes = contents(section),
            let end = bytes.firstIndex(of: 0), end > 0
        else { return nil }
        let position = (end + 4) & ~3
        guard bytes.count >= position + 4 else { return nil }
        var header = GElf_Ehdr()
        guard gelf_getehdr(elf, &header) != nil else { return nil }
        let raw = bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)
        let isLittle = Int32(withUnsafeBytes(of: header.e_ident) { $0[Int(EI_DATA)] }) == ELFDATA2LSB
        return DebugLink(
            name: FilePath(bytes: bytes[..<end]), crc32: isLittle ? UInt32(littleEndian: raw) : UInt32(bigEndian: raw))
    }

    // MARK: Sections

    package struct Section {
        package let handle: OpaquePointer
        package let header: GElf_Shdr

        /// As linked.
        package var address: UInt64 { header.sh_addr }

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
        guard elf_getshdrstrndx(elf, &names) == 0 else { return nil }
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

    /// The section's bytes as they are in the file, valid as long as this handle; nil when absent or unreadable.
    package borrowing func contents(_ section: Section) -> UnsafeRawBufferPointer? {
        data(section)?.pointee.bytes
    }

    /// The section's data, in host byte order.
    package borrowing func data(_ section: Section) -> UnsafeMutablePointer<Elf_Data>? {
        guard section.header.sh_type != SHT_NOBITS, section.header.sh_size <= Self.largestSection else { return nil }
        return elf_getdata(section.handle, nil)
    }

    /// The section with that number.
    package borrowing func section(number: UInt32) -> Section? {
        guard let handle = elf_getscn(elf, Int(number)) else { return nil }
        var header = GElf_Shdr()
        guard gelf_getshdr(handle, &header) != nil else { return nil }
        return Section(handle: handle, header: header)
    }
}

extension Elf_Data {
    /// What libelf has read, as bytes.
    package var bytes: UnsafeRawBufferPointer? {
        guard let start = d_buf, d_size > 0 else { return nil }
        // SAFETY: libelf owns d_size bytes at d_buf until elf_end.
        return UnsafeRawBufferPointer(start: start, count: d_size)
    }
}
