// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Symbols

@Suite struct ProcessMapsTests {
    static let text = #"""
        55d0c0000000-55d0c0001000 r--p 00000000 fd:01 131                        /usr/bin/a b
        55d0c0001000-55d0c0002000 r-xp 00001000 fd:01 131                        /usr/bin/a b
        55d0c1000000-55d0c1021000 rw-p 00000000 00:00 0                          [heap]
        7f0000000000-7f0000021000 rw-p 00000000 00:00 0 
        7f0000100000-7f0000101000 rwxs 00000000 00:01 18446744073709551615       /memfd:jit (deleted)
        7f0000200000-7f0000201000 r-xp 00002000 08:a0 77                         /lib/x\012y.so (deleted)
        7f0000300000-7f0000301000 rw-p 00000000 00:00 0                          [anon:glibc: malloc]
        7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]
        7ffd00100000-7ffd00102000 r-xp 00000000 00:00 0                          [vdso]
        ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]

        """#

    let maps = ProcessMaps(maps: Array(Self.text.utf8))

    @Test func fields() throws {
        #expect(maps.mappings.count == 10)
        let code = try #require(maps.mapping(containing: 0x55d0_c000_1abc))
        #expect(code.path == "/usr/bin/a b")
        #expect(code.fileOffset == 0x1000)
        #expect(code.deviceMajor == 0xfd && code.deviceMinor == 1 && code.inode == 131)
        #expect(code.isExecutable && code.isReadable && !code.isWritable && !code.isShared && !code.isDeleted)
        #expect(code.rootPath(pid: 7) == "/proc/7/root/usr/bin/a b")
        #expect(code.mapFilesPath(pid: 7) == "/proc/7/map_files/55d0c0001000-55d0c0002000")
    }

    @Test func kinds() {
        #expect(
            maps.mappings.map(\.kind) == [
                .file, .file, .heap, .anonymous, .file, .file, .special, .stack, .vdso, .special,
            ])
    }

    @Test func deletedAndEscaped() throws {
        let memory = try #require(maps.mapping(containing: 0x7f00_0010_0000))
        #expect(memory.path == "/memfd:jit" && memory.isDeleted && memory.isShared && memory.inode == .max)
        let library = try #require(maps.mapping(containing: 0x7f00_0020_0000))
        #expect(library.path == "/lib/x\ny.so" && library.isDeleted)
    }

    @Test func edges() {
        #expect(maps.mapping(containing: 0x55d0_bfff_ffff) == nil)
        #expect(maps.mapping(containing: 0x55d0_c000_0000)?.fileOffset == 0)
        #expect(maps.mapping(containing: 0x55d0_c000_0fff)?.fileOffset == 0)
        #expect(maps.mapping(containing: 0x55d0_c000_2000) == nil)
        #expect(maps.mapping(containing: 0) == nil)
        #expect(maps.mapping(containing: .max) == nil)
    }

    @Test func binaryPathIsKeptByteForByte() throws {
        let path: [UInt8] = Array("/tmp/".utf8) + [0xff, 0xfe, 0x20, 0xc3, 0x28]
        let line = Array("1000-2000 r-xp 00000000 08:01 5 ".utf8) + path
        let mapping = try #require(ProcessMaps(maps: line).mapping(containing: 0x1000))
        #expect(
            mapping.path.withPlatformString { name in (0..<strlen(name)).map { UInt8(bitPattern: name[$0]) } } == path)
    }

    @Test(arguments: [
        "", "\n", "1000", "1000-", "1000-2000", "2000-1000 r-xp 0 0:0 0 /x", "1000-1000 r-xp 0 0:0 0 /x",
        "1000-2000 r-x", "1000-2000 r-xp zz 0:0 0 /x", "1000-2000 r-xp 0 0:0 99999999999999999999 /x",
        "11112222333344445-2000 r-xp 0 0:0 0 /x", "-1000-2000 r-xp 0 0:0 0 /x",
    ])
    func garbageIsLeftOut(line: String) {
        #expect(ProcessMaps(maps: Array(line.utf8)).mappings.isEmpty)
    }

    @Test func live() throws {
        let maps = try ProcessMaps(pid: getpid())
        let function: @convention(c) (Int) -> UnsafeMutableRawPointer? = malloc
        let address = UInt64(UInt(bitPattern: unsafeBitCast(function, to: UnsafeRawPointer.self)))
        let mapping = try #require(maps.mapping(containing: address))
        #expect(mapping.isExecutable && mapping.kind == .file)
        #expect(maps.mappings.contains { $0.kind == .vdso })
        #expect(maps.mappings.contains { $0.kind == .stack })
    }

    @Test func goneProcess() throws {
        #expect(throws: SymbolError.system(operation: "open", path: "/proc/-1/maps", errno: ENOENT)) {
            _ = try ProcessMaps(pid: -1)
        }
    }
}
