// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemLayer
import SystemPackage
import TestSupport
import Testing

@testable import Symbols

/// Files as an attacker or a failing disk gives them: an error or a table, never a trap, and in bounded time.
@Suite struct HostileELFTests {
    /// Does it give a table?
    @discardableResult
    func everyReader(_ bytes: [UInt8]) throws -> Bool {
        let file = try TemporaryFile(bytes)
        var isRead = true
        do throws(SymbolError) {
            let table = try ELFSymbols(path: file.path)
            for index in table.entries.indices.prefix(64) { _ = table.symbol(address: table.entries[index].address) }
            for address in [0, 1, 0x1000, UInt64.max, 1 << 63] {
                _ = table.symbol(address: address)
                _ = table.image.address(fileOffset: address)
                _ = table.image.fileOffset(address: address)
            }
        } catch {
            isRead = false
            #expect(error.description.contains(file.path.description))
        }
        _ = try? ELFSymbols.functionOffsets(named: ["main", "malloc", "take"], path: file.path)
        _ = try? ELFSymbols(image: bytes, name: "memory")
        return isRead
    }

    func bytes(_ name: String) throws -> [UInt8] {
        try OpenFile(reading: FilePath(try Corpus.path(name))).readAll(limit: 1 << 26)
    }

    @Test(arguments: ["", "\u{7f}ELF", "#!/bin/sh\n", "!<arch>\n"])
    func notELF(text: String) throws {
        let file = try TemporaryFile(Array(text.utf8))
        #expect {
            _ = try ELFSymbols(path: file.path)
        } throws: { error in
            guard case SymbolError.malformedELF(let path, _) = error else { return false }
            return path == file.path.description
        }
    }

    @Test func wrongKindsOfFile() throws {
        #expect(throws: SymbolError.system(operation: "open", path: "/nonexistent", errno: ENOENT)) {
            _ = try ELFSymbols(path: "/nonexistent")
        }
        #expect(throws: SymbolError.malformedELF(path: "/dev/zero", reason: "not a regular file")) {
            _ = try ELFSymbols(path: "/dev/zero")
        }
        #expect(throws: SymbolError.malformedELF(path: "/tmp", reason: "not a regular file")) {
            _ = try ELFSymbols(path: "/tmp")
        }
        let fifo = "/tmp/symbols-fifo-\(getpid())"
        try #require(mkfifo(fifo, 0o600) == 0)
        defer { unlink(fifo) }
        #expect(throws: SymbolError.malformedELF(path: fifo, reason: "not a regular file")) {
            _ = try ELFSymbols(path: FilePath(fifo))
        }
    }

    @Test func objectFile() throws {
        let object = try Corpus.path("object.o")
        _ = try run("echo 'int f(void) { return 1; }' | cc -x c -c -o '\(object)' -")
        #expect(throws: SymbolError.malformedELF(path: object, reason: "neither an executable nor a shared object")) {
            _ = try ELFSymbols(path: FilePath(object))
        }
    }

    @Test func truncated() throws {
        let whole = try bytes("pie")
        #expect(try everyReader(whole))
        for length in stride(from: 0, to: whole.count, by: 97) {
            let isRead = try everyReader(Array(whole[..<length]))
            // shorter than its own header it is no ELF file
            #expect(length >= 64 || !isRead)
        }
    }

    @Test(arguments: ["pie", "versioned.so", "mini", "linked"])
    func damaged(name: String) throws {
        let whole = try bytes(name)
        var generator = SplitMix(state: 23)
        var read = 0
        for round in 0..<400 {
            var copy = whole
            // Headers and tables are the interesting part: the file's first KiB and its tail.
            for _ in 0...(round % 20) {
                let region = Bool.random(using: &generator) ? 0..<1024 : (copy.count - 4096)..<copy.count
                let index = Int.random(in: region, using: &generator)
                copy[index] =
                    [0, 1, 0x7f, 0x80, 0xff, UInt8.random(in: 0...255, using: &generator)]
                    .randomElement(using: &generator) ?? 0
            }
            if try everyReader(copy) { read += 1 }
        }
        // noise reaches both what can be read all the same and what can't
        #expect((1..<400).contains(read), "\(read)")
    }

    /// Every 4- and 8-byte field of the headers set to the values most likely to overflow.
    @Test func wildFields() throws {
        let whole = try bytes("versioned.so")
        let sections = whole.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: 40, as: UInt64.self)) }
        for start in [0, 64, sections] {
            for offset in stride(from: start, to: min(start + 2048, whole.count - 8), by: 4) {
                for value: UInt64 in [.max, 1 << 63, 0x7fff_ffff_ffff_fff0, UInt64(whole.count)] {
                    var copy = whole
                    copy.withUnsafeMutableBytes { $0.storeBytes(of: value, toByteOffset: offset, as: UInt64.self) }
                    _ = try? ELFSymbols(image: copy, name: "wild")
                }
            }
        }
        #expect(try ELFSymbols(image: whole, name: "whole").count > 0)
    }

    /// A section that promises a terabyte of a sparse file isn't read.
    @Test func sparseGiant() throws {
        var whole = try bytes("pie")
        let table = whole.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: 40, as: UInt64.self)) }
        let count = whole.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: 60, as: UInt16.self)) }
        for index in 1..<count {
            whole.withUnsafeMutableBytes {
                $0.storeBytes(of: 1 << 39, toByteOffset: table + index * 64 + 32, as: UInt64.self)
            }
        }
        let file = try TemporaryFile(whole)
        try #require(file.path.withPlatformString { truncate($0, 1 << 40) } == 0)
        let clock = ContinuousClock()
        let took = clock.measure { _ = try? ELFSymbols(path: file.path) }
        #expect(took < .seconds(5))
    }

    @Test func brokenMiniDebugInfo() throws {
        let packed: [UInt8] = try bytes("mini.debug.xz")
        let unpacked = try #require(packed.withUnsafeBytes { DebugFiles.unxz($0) })
        #expect(Array(unpacked.inMemory) == (try bytes("mini.debug")))
        for length in stride(from: 0, to: packed.count - 1, by: 7) {
            #expect(packed[..<length].withUnsafeBytes { DebugFiles.unxz($0) == nil })
        }
        #expect(Array(repeating: UInt8(7), count: 4096).withUnsafeBytes { DebugFiles.unxz($0) == nil })
    }

    /// 300 MB of zeros pack into 45 kB.
    @Test func xzBombIsRefused() throws {
        let bomb = try Corpus.path("bomb.xz")
        _ = try run("head -c 300000000 /dev/zero | xz -0 > '\(bomb)'")
        #expect(try bytes("bomb.xz").withUnsafeBytes { DebugFiles.unxz($0) == nil })
    }
}
