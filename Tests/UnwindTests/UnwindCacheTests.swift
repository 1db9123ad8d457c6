// SPDX-License-Identifier: Apache-2.0
import CUnwind
import Glibc
import SystemLayer
import SystemPackage
import TestSupport
import Testing

@testable import Symbols
@testable import Unwind

/// Tables kept from one run to another.
@Suite struct UnwindCacheTests {
    /// A directory of its own for each test.
    private final class Place {
        let path: String
        init() throws {
            var template = Array("/tmp/unwind-cache-XXXXXX\0".utf8).map { CChar(bitPattern: $0) }
            try #require(mkdtemp(&template) != nil)
            path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        deinit { _ = try? run("rm -rf '\(path)'") }

        var cache: UnwindCache { UnwindCache(FilePath(path + "/swiftmem/unwind")) }
        var files: [String] {
            get throws {
                try run("ls -A '\(path)/swiftmem/unwind' 2>/dev/null; true").split(separator: "\n").map(String.init)
            }
        }
        var file: String { get throws { try path + "/swiftmem/unwind/" + #require(files.first) } }
        func bytes() throws -> [UInt8] { try OpenFile(reading: FilePath(file)).readAll(limit: 1 << 26) }
        func write(_ bytes: [UInt8]) throws {
            let file = try #require(fopen(try file, "w"))
            fwrite(bytes, 1, bytes.count, file)
            fclose(file)
        }
    }

    private func sample() throws -> (UnwindTable, UnwindCache.Key, String) {
        let path = try Corpus.path("pie")
        let handle = try OpenFile(reading: FilePath(path))
        let status = try handle.status()
        let file = try ELFFile(handle, path: FilePath(path))
        let image = try file.image()
        return (try UnwindTable(file, image), try #require(UnwindCache.Key(image, status, path: FilePath(path))), path)
    }

    @Test("a file's time of change counts to the nanosecond")
    func modified() throws {
        let path = try Corpus.path("pie")
        let handle = try OpenFile(reading: FilePath(path))
        var status = try handle.status()
        status.st_mtim = timespec(tv_sec: 5, tv_nsec: 7)
        let image = try ELFFile(handle, path: FilePath(path)).image()
        #expect(UnwindCache.Key(image, status, path: FilePath(path))?.modified == 5_000_000_007)
    }

    @Test("what is kept is found again, as it was")
    func round() throws {
        let place = try Place()
        let (table, key, _) = try sample()
        #expect(place.cache.table(key) == nil)
        place.cache.store(table, key)
        #expect(place.cache.table(key) == table)
        #expect(try place.files.count == 1)
        #expect(try run("stat -c %a '\(place.path)/swiftmem/unwind' '\(place.file)'") == "700\n600\n")
        // a second process's tables come from there
        for wanted in [false, true] {
            let tables = UnwindTables(mostTables: 4095, cache: place.cache)
            _ = try tables.regions(of: getpid())
            #expect((tables.keptCount > 2) == wanted && tables.count > 3)
        }
    }

    @Test("truncated, longer, and with any bit turned over: missing, and made anew")
    func damaged() throws {
        let place = try Place()
        let (table, key, _) = try sample()
        place.cache.store(table, key)
        let whole = try place.bytes()
        for length in [0, 1, 8, 95, 96, 97, 100, whole.count / 2, whole.count - 4096, whole.count - 4, whole.count - 1]
        {
            try place.write(Array(whole[..<length]))
            #expect(place.cache.table(key) == nil, "\(length) bytes")
        }
        for more in [1, 4, 4096] {
            try place.write(whole + Array(repeating: 0, count: more))
            #expect(place.cache.table(key) == nil)
        }
        var generator = SplitMix(state: 3)
        for round in 0..<300 {
            var copy = whole
            let at = round < 96 ? round : Int.random(in: 0..<whole.count, using: &generator)
            copy[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            try place.write(copy)
            #expect(place.cache.table(key) == nil, "byte \(at)")
        }
        try place.write((0..<20_000).map { _ in UInt8.random(in: 0...255, using: &generator) })
        #expect(place.cache.table(key) == nil)
        place.cache.store(table, key)
        #expect(place.cache.table(key) == table)
        #expect(try place.files.count == 1)
    }

    /// A checksum keeps nobody away who can compute it: parts that contradict each other are refused all the same.
    @Test("another version, another file, parts that don't fit")
    func foreign() throws {
        let (table, key, _) = try sample()
        var header = UnwindCache.Header(table)
        #expect(UnwindTable(header, table.words) == table)
        #expect(UnwindTable(header, []) == nil && UnwindTable(header, Array(table.words.dropLast())) == nil)
        for change in [
            { $0.start = 1 }, { $0.start = .max & ~4095 }, { $0.length = 0 }, { $0.length = 1 << 40 },
            { $0.length = 1 << 29 }, { $0.rulesBlock = 1 << 20 }, { $0.rulesBlock = .max }, { $0.rules = .max },
            { $0.rules = 1 << 16 },
            { $0.rows = .max },
        ] as [(inout UnwindCache.Header) -> Void] {
            var other = header
            change(&other)
            #expect(UnwindTable(other, table.words) == nil, "\(other)")
        }
        header.version += 1
        let place = try Place()
        place.cache.store(table, key)
        var bytes = try place.bytes()
        bytes[8] += 1  // the version
        try place.write(bytes)
        #expect(place.cache.table(key) == nil)
        // one of the same name
        place.cache.store(table, key)
        let touched = try Corpus.path("pie-touched")
        _ = try run("cp '\(Corpus.path("pie"))' '\(touched)'; touch -d 2001-01-01 '\(touched)'")
        let handle = try OpenFile(reading: FilePath(touched))
        let status = try handle.status()
        let image = try ELFFile(handle, path: FilePath(touched)).image()
        let other = try #require(UnwindCache.Key(image, status, path: FilePath(touched)))
        #expect(other.name == key.name)
        #expect(place.cache.table(other) == nil && place.cache.table(key) == table)
    }

    @Test("files that others can write, or that their path doesn't lead to, are not kept")
    func untrusted() throws {
        let (_, _, path) = try sample()
        let loose = try Corpus.path("pie-loose")
        _ = try run("cp '\(path)' '\(loose)'; chmod 666 '\(loose)'")
        let handle = try OpenFile(reading: FilePath(loose))
        let status = try handle.status()
        let image = try ELFFile(handle, path: FilePath(loose)).image()
        #expect(UnwindCache.Key(image, status, path: FilePath(loose)) == nil)
        let own = try OpenFile(reading: FilePath(path)).status()
        #expect(UnwindCache.Key(image, own, path: FilePath(path)) != nil)
        #expect(UnwindCache.Key(image, own, path: FilePath(loose)) == nil)
        #expect(UnwindCache.Key(image, own, path: "/nowhere/at/all") == nil)
    }

    @Test("a directory or a file that others can write, or a link, is not used")
    func shared() throws {
        let (table, key, _) = try sample()
        let place = try Place()
        let directory = place.path + "/swiftmem/unwind"
        _ = try run("mkdir -p '\(directory)'; chmod 777 '\(directory)'")
        place.cache.store(table, key)
        #expect(try place.files.isEmpty)
        _ = try run("chmod 700 '\(directory)'")
        place.cache.store(table, key)
        let file = try place.file
        #expect(place.cache.table(key) == table)
        _ = try run("chmod 620 '\(file)'")
        #expect(place.cache.table(key) == nil)
        _ = try run("chmod 600 '\(file)'; mv '\(file)' '\(file).real'; ln -s '\(file).real' '\(file)'")
        #expect(place.cache.table(key) == nil)
        if geteuid() == 0 {
            _ = try run("rm '\(file)'; mv '\(file).real' '\(file)'; chown 12345 '\(file)'")
            #expect(place.cache.table(key) == nil)
            _ = try run("chown 0 '\(file)'; chown 12345 '\(directory)'")
            #expect(place.cache.table(key) == nil)
            _ = try run("chown 0 '\(directory)'")
            #expect(place.cache.table(key) == table)
        }
        _ = try run("mv '\(directory)' '\(directory).real'; ln -s '\(directory).real' '\(directory)'")
        #expect(place.cache.table(key) == nil)
        // neither can it be made
        let nowhere = UnwindCache("/proc/nowhere/unwind")
        nowhere.store(table, key)
        #expect(nowhere.table(key) == nil)
    }

    @Test("bounded: the longest unused goes first")
    func bounded() throws {
        let (table, key, _) = try sample()
        let place = try Place()
        place.cache.store(table, key)
        let directory = place.path + "/swiftmem/unwind"
        let size = try place.bytes().count
        _ = try run(
            "cd '\(directory)'; for i in 1 2 3 4 5; do head -c \(size) /dev/zero > old$i; touch -d \"2001-01-0$i\" old$i; done"
        )
        UnwindCache(FilePath(directory), mostBytes: Int64(size * 4 - 1)).store(table, key)
        #expect(try Set(place.files) == [key.name.description, "old4", "old5"])
        // a table that would take half of the room has none
        let small = UnwindCache(FilePath(directory), mostBytes: Int64(size))
        _ = try run("rm '\(directory)'/*")
        small.store(table, key)
        #expect(try place.files.isEmpty)
    }
}
