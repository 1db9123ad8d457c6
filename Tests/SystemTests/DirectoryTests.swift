// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage
import Testing

@testable import SystemLayer

/// An empty directory, removed with what is in it at the end of its life.
private final class Room {
    let path: FilePath

    init() throws {
        var template = Array("/tmp/system-test-XXXXXX\0".utf8).map { CChar(bitPattern: $0) }
        try #require(mkdtemp(&template) != nil)
        path = FilePath(platformString: template)
    }

    func add(_ name: [UInt8], isDirectory: Bool = false) throws {
        let place = try #require(FilePath.Component(platformString: name.map { CChar(bitPattern: $0) } + [0]))
        let whole = path.appending(place)
        if isDirectory {
            try #require(whole.withPlatformString { mkdir($0, 0o700) } == 0)
        } else {
            let file = try FileDescriptor.open(whole, .writeOnly, options: .create, permissions: .ownerReadWrite)
            try file.closeAfter { _ = try file.writeAll("text\nand more\n".utf8) }
        }
    }

    deinit {
        if var directory = Directory(path) {
            while let entry = directory.next() {
                let whole = path.appending(entry.name)
                _ = whole.withPlatformString { entry.isDirectory ? rmdir($0) : unlink($0) }
            }
        }
        _ = path.withPlatformString { rmdir($0) }
    }
}

@Suite struct DirectoryTests {
    /// Not UTF-8, a newline, a space, terminal sequences, dots.
    private static let names: [[UInt8]] = [
        [0xff, 0xfe, 0x20, 0xc3, 0x28], Array("a\nb".utf8), Array("\u{1b}[31m".utf8), Array("...".utf8),
        Array(".hidden".utf8), [UInt8](repeating: 0x78, count: 255),
    ]

    /// nil where there is no directory.
    private func entries(_ directory: consuming Directory?) -> [Directory.Entry]? {
        guard var directory else { return nil }
        var all: [Directory.Entry] = []
        while let entry = directory.next() { all.append(entry) }
        return all
    }

    @Test("every name once, byte for byte, without . and ..")
    func hostileNames() throws {
        let room = try Room()
        for name in Self.names { try room.add(name) }
        try room.add(Array("inner".utf8), isDirectory: true)
        let all = entries(Directory(room.path))
        let found = try #require(all)
        let bytes = found.map { entry in
            entry.name.withPlatformString { name in (0..<strlen(name)).map { UInt8(bitPattern: name[$0]) } }
        }
        #expect(Set(bytes) == Set(Self.names + [Array("inner".utf8)]))
        #expect(bytes.count == Self.names.count + 1)
        #expect(found.filter(\.isDirectory).map(\.name.string) == ["inner"])
        // and a file is reached by its name
        for entry in found where !entry.isDirectory {
            #expect(readText(room.path.appending(entry.name)) == "text\nand more\n")
        }
    }

    @Test("an open directory is read")
    func descriptor() throws {
        let room = try Room()
        try room.add(Array("x".utf8))
        let raw = try FileDescriptor.open(room.path, .readOnly, options: [.directory, .closeOnExec])
        let all = entries(Directory(OwnedDescriptor(owning: raw)))
        let found = try #require(all)
        #expect(found.map(\.name.string) == ["x"])
    }

    @Test("no directory")
    func missing() throws {
        let (none, file) = (entries(Directory("/nonexistent")), entries(Directory("/proc/self/stat")))
        #expect(none == nil)
        #expect(file == nil)
        // the descriptor is closed all the same: the reader of the pipe sees its end
        let (reader, writer) = try FileDescriptor.pipe()
        let pipe = entries(Directory(OwnedDescriptor(owning: writer)))
        #expect(pipe == nil)
        var buffer = [UInt8](repeating: 0, count: 8)
        #expect(try buffer.withUnsafeMutableBytes { try reader.read(into: $0) } == 0)
        try reader.close()
    }
}
