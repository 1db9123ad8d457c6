// SPDX-License-Identifier: Apache-2.0
import CSymbols
import Glibc
import SystemLayer
import SystemPackage
import TestSupport
import Testing

@testable import Symbols

/// Headers as libelf reads them.
@Suite struct ELFHeadersTests {
    /// Libraries and programs of this machine.
    private func files() throws -> [FilePath] {
        let all = try run("ls -d /usr/lib/*-linux-gnu/*.so* /usr/lib64/*.so* /usr/bin/* 2>/dev/null | head -n 900")
        return all.split(separator: "\n").map { FilePath(String($0)) }
    }

    private func compare(_ file: borrowing ELFFile) throws {
        let elf = try file.libelf()
        let headers = file.headers
        let path = file.path
        var main = GElf_Ehdr()
        try #require(gelf_getehdr(elf, &main) != nil)
        #expect(main.e_type == headers.main.e_type && main.e_machine == headers.main.e_machine)
        #expect(main.e_entry == headers.main.e_entry && main.e_shstrndx == headers.main.e_shstrndx)
        #expect((gelf_getclass(elf) == ELFCLASS64) == headers.isWide)
        var count = 0
        try #require(elf_getphdrnum(elf, &count) == 0)
        #expect(headers.programCount == count)
        for index in 0..<count {
            var theirs = GElf_Phdr()
            try #require(gelf_getphdr(elf, Int32(index), &theirs) != nil)
            let ours = try #require(headers.program(index))
            #expect(bytes(of: ours) == bytes(of: theirs), "\(path): segment \(index)")
        }
        try #require(elf_getshdrnum(elf, &count) == 0)
        #expect(headers.sectionCount == count)
        var names = 0
        _ = elf_getshdrstrndx(elf, &names)
        for number in 1..<max(1, count) {
            var theirs = GElf_Shdr()
            try #require(gelf_getshdr(elf_getscn(elf, number), &theirs) != nil)
            let ours = try #require(headers.section(number))
            #expect(bytes(of: ours) == bytes(of: theirs), "\(path): section \(number)")
            let name = try #require(elf_strptr(elf, names, Int(theirs.sh_name)).map { String(cString: $0) })
            for (wanted, isNamed) in [
                (".symtab" as StaticString, name == ".symtab"), (".gnu_debuglink", name == ".gnu_debuglink"),
                (".eh_frame", name == ".eh_frame"), (".eh_frame_hdr", name == ".eh_frame_hdr"),
            ] {
                #expect(headers.has(wanted, ours) == isNamed, "\(path): \(name)")
            }
        }
        #expect(try file.image().buildID?.bytes == buildID(elf), "\(path)")
    }

    private func bytes<Header: BitwiseCopyable>(of header: Header) -> [UInt8] {
        withUnsafeBytes(of: header) { Array($0) }
    }

    /// As libelf finds it.
    private func buildID(_ elf: OpaquePointer) -> [UInt8]? {
        var count = 0
        guard elf_getphdrnum(elf, &count) == 0 else { return nil }
        for index in 0..<count {
            var program = GElf_Phdr()
            guard gelf_getphdr(elf, Int32(index), &program) != nil, Int32(program.p_type) == PT_NOTE else { continue }
            let type = program.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR
            guard let data = elf_getdata_rawchunk(elf, Int64(program.p_offset), Int(program.p_filesz), type),
                let bytes = data.pointee.bytes
            else { continue }
            var header = GElf_Nhdr()
            var (position, name, descriptor) = (0, 0, 0)
            while case let next = gelf_getnote(data, position, &header, &name, &descriptor), next > position {
                position = next
                if header.n_type == NT_GNU_BUILD_ID, header.n_namesz == 4 {
                    return Array(bytes[descriptor..<(descriptor + Int(header.n_descsz))])
                }
            }
        }
        return nil
    }

    @Test(
        "headers, names of sections and build-ids of this machine's libraries and programs are those that libelf reads")
    func agreesWithLibelf() throws {
        var compared = 0
        for path in try files() {
            guard let file = try? ELFFile(path: path), (try? file.image()) != nil else { continue }
            try compare(file)
            compared += 1
        }
        #expect(compared > 20)
    }

    @Test(
        "those of 32 bits, and of the other byte order", arguments: ["-m elf_i386", "--oformat elf32-i386 -m elf_i386"])
    func narrow(options: String) throws {
        let path = try Corpus.path("narrow-\(options.count)")
        let source = try TemporaryFile(
            Array(".text\n.globl _start\n.type _start,STT_FUNC\n_start: nop\n.size _start,1\n".utf8))
        guard
            (try? run(
                "as --32 -o '\(path).o' '\(source.path)' && ld \(options) --build-id=0x12345678 -o '\(path)' '\(path).o' 2>&1"
            ))
                != nil, let file = try? ELFFile(path: FilePath(path))
        else { return try skip("an assembler for 32-bit x86") }
        try compare(file)
        let id = try file.image().buildID?.bytes
        #expect(!file.headers.isWide && id == [0x12, 0x34, 0x56, 0x78])
    }

    @Test("numbers of headers beyond 16 bits stand in the first section's header")
    func beside() throws {
        var whole = try OpenFile(reading: FilePath(try Corpus.path("pie"))).readAll(limit: 1 << 24)
        let (table, names) = whole.withUnsafeBytes {
            (
                Int($0.loadUnaligned(fromByteOffset: 40, as: UInt64.self)),
                UInt32($0.loadUnaligned(fromByteOffset: 62, as: UInt16.self))
            )
        }
        whole.withUnsafeMutableBytes {
            $0.storeBytes(of: 0xffff, toByteOffset: 62, as: UInt16.self)
            $0.storeBytes(of: names, toByteOffset: table + 40, as: UInt32.self)
        }
        let file = try ELFFile(bytes: whole, name: "beside")
        #expect(file.section(named: ".symtab")?.header.sh_type == UInt32(SHT_SYMTAB))
    }

    @Test("notes: cut off, of other names, with 8 bytes of alignment, of lengths that reach beyond")
    func notes() {
        func note(_ name: String, _ type: UInt32, _ descriptor: [UInt8], _ alignment: Int) -> [UInt8] {
            var bytes: [UInt8] = []
            for number in [UInt32(name.utf8.count), UInt32(descriptor.count), type] {
                withUnsafeBytes(of: number.littleEndian) { bytes += Array($0) }
            }
            bytes += Array(name.utf8)
            while bytes.count % alignment != 0 { bytes.append(0) }
            bytes += descriptor
            while bytes.count % alignment != 0 { bytes.append(0) }
            return bytes
        }
        for alignment in [4, 8] {
            let other = note("GNU\0", 1, [9, 9, 9, 9, 9], alignment), own = note("GNU\0", 3, [1, 2, 3], alignment)
            let foreign = note("Go\0", 3, [7], alignment)
            func id(_ bytes: [UInt8]) -> [UInt8]? {
                ELFNotes.buildID(in: bytes, alignment: alignment, isLittle: true)?.bytes
            }
            #expect(id(own) == [1, 2, 3] && id(other + foreign + own) == [1, 2, 3] && id(other) == nil)
            for length in 0..<(12 + alignment - 12 % alignment + 3) {
                #expect(id(Array(own[..<length])) == nil, "\(length)")
            }
            var wild = own
            wild.replaceSubrange(0..<8, with: [UInt8](repeating: 0xff, count: 8))
            #expect(id(wild) == nil && id([]) == nil)
            #expect(id(note("GNU\0", 3, [UInt8](repeating: 1, count: 65), alignment)) == nil)
            #expect(id(note("GNU\0", 3, [], alignment)) == nil)
        }
    }
}
