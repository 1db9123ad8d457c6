// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage
import Testing

@testable import SystemLayer

@Suite struct OpenFileTests {
    @Test("a file without a length is read to the end")
    func withoutLength() throws {
        let file = try OpenFile(reading: "/proc/self/maps")
        #expect(try file.status().st_size == 0)
        let bytes = try file.readAll()
        #expect(bytes.last == UInt8(ascii: "\n"))
        #expect(readOneLine("/proc/sys/kernel/ostype") == "Linux")
        #expect(readText("/proc/sys/kernel/ostype") == "Linux\n")
    }

    @Test("a limit is kept", arguments: [1, 4096, 1 << 14, (1 << 14) + 1, 1 << 20])
    func limit(bytes: Int) throws {
        let zero = try OpenFile(reading: "/dev/zero")
        #expect(throws: FileError(operation: "read", path: "/dev/zero", code: .fileTooLarge)) {
            _ = try zero.readAll(limit: bytes)
        }
    }

    @Test("what can't be opened says why")
    func missing() {
        #expect(throws: FileError(operation: "open", path: "/nonexistent", code: .noSuchFileOrDirectory)) {
            _ = try OpenFile(reading: "/nonexistent")
        }
        #expect(readBytes("/nonexistent") == nil)
        // a directory opens, and is not read
        #expect(readBytes("/proc") == nil)
    }

    @Test("memory above 2^63 is asked for, and refused by the kernel")
    func highOffset() throws {
        let memory = try OpenFile(reading: "/proc/self/mem")
        #expect(throws: FileError.self) { _ = try memory.read(at: 0xffff_ffff_ff00_0000, count: 16) }
        let value: [UInt8] = [1, 2, 3, 4]
        let read = try value.withUnsafeBytes { raw in
            try memory.read(at: UInt64(UInt(bitPattern: raw.baseAddress)), count: 4)
        }
        #expect(read == value)
    }

    @Test("a descriptor is closed with its owner, and not when it was released")
    func owner() throws {
        // The reader of a pipe sees its end when the last writer is closed, whoever gets the number next.
        let (reader, writer) = try FileDescriptor.pipe()
        func read() throws -> [UInt8] {
            var buffer = [UInt8](repeating: 0, count: 8)
            let count = try buffer.withUnsafeMutableBytes { try reader.read(into: $0) }
            return Array(buffer.prefix(count))
        }
        let released = OwnedDescriptor(owning: writer).release()
        #expect(try FileDescriptor(rawValue: released).writeAll([7]) == 1)
        #expect(try read() == [7])
        do {
            let owner = OwnedDescriptor(owning: released)
            #expect(owner.raw == writer.rawValue)
        }
        #expect(try read() == [])
        try reader.close()
    }

    @Test("environment variables")
    func environment() {
        let own = (readBytes("/proc/self/environ") ?? []).split(separator: 0)
        let path = own.first { $0.starts(with: "PATH=".utf8) }.map { String(decoding: $0.dropFirst(5), as: UTF8.self) }
        #expect(environmentVariable("PATH") == path)
        #expect(environmentVariable("SYSTEM_LAYER_TEST_MISSING") == nil)
    }
}
