// SPDX-License-Identifier: Apache-2.0
import CUnwind
import Glibc
import SystemLayer
import SystemPackage
import TestSupport
import Testing

@testable import Symbols
@testable import Unwind

/// What a kept table belongs to, and how it stands in its file: read by later runs.
@Suite struct UnwindCacheKeyTests {
    private let file: TemporaryFile
    private let status: stat

    init() throws {
        file = try TemporaryFile([1, 2, 3])
        var status = try OpenFile(reading: file.path).status()
        (status.st_mode, status.st_uid, status.st_size) = (S_IFREG | 0o755, 77, 1000)
        status.st_mtim = timespec(tv_sec: 5, tv_nsec: 7)
        self.status = status
    }

    private func image(
        isFixed: Bool = false, machine: UInt16 = 62, segments: [ELFImage.Segment] = [], buildID: [UInt8]? = [0xab, 1]
    ) -> ELFImage {
        ELFImage(
            isFixed: isFixed, machine: machine, segments: segments, buildID: buildID.map { BuildID(bytes: $0) },
            debugLink: nil)
    }

    private func key(_ image: ELFImage, _ change: (inout stat) -> Void = { _ in }) -> UnwindCache.Key? {
        var other = status
        change(&other)
        return UnwindCache.Key(image, other, path: file.path)
    }

    private func segment(_ numbers: (UInt64, UInt64, UInt64), isExecutable: Bool) -> ELFImage.Segment {
        ELFImage.Segment(fileOffset: numbers.0, address: numbers.1, fileSize: numbers.2, isExecutable: isExecutable)
    }

    @Test("every field is in the key, in this order")
    func words() throws {
        let plain = try #require(key(image()))
        #expect(plain.words == [1000, 5_000_000_007, 77, 62, 0, 0xab, 1])
        #expect(plain.name == "ab01-77-1000")
        let segments = [segment((1, 2, 3), isExecutable: true), segment((4, 5, 6), isExecutable: false)]
        let full = try #require(key(image(isFixed: true, machine: 183, segments: segments, buildID: [9])))
        #expect(full.words == [1000, 5_000_000_007, 77, 183, 1, 1, 2, 3, 1, 4, 5, 6, 0, 9])
        let other = try #require(
            key(image()) { ($0.st_size, $0.st_uid, $0.st_mtim) = (1001, 78, timespec(tv_sec: 6, tv_nsec: 0)) })
        #expect(other.words == [1001, 6_000_000_000, 78, 62, 0, 0xab, 1])
        #expect(other.name == "ab01-78-1001")
    }

    @Test("no key: without a build-id, writable by the group or by others, of another device or inode")
    func refused() {
        #expect(key(image(buildID: nil)) == nil)
        for mode in [0o020, 0o002, 0o022, 0o777] as [mode_t] {
            #expect(key(image()) { $0.st_mode = S_IFREG | mode } == nil)
        }
        for mode in [0o755, 0o700, 0o444] as [mode_t] { #expect(key(image()) { $0.st_mode = S_IFREG | mode } != nil) }
        #expect(key(image()) { $0.st_dev += 1 } == nil)
        #expect(key(image()) { $0.st_ino += 1 } == nil)
        #expect(UnwindCache.Key(image(), status, path: "/nowhere/at/all") == nil)
    }

    /// By `xor, multiply by 0x9e3779b97f4a7c15, xor with the upper half` in another language.
    @Test("the checksum is the one that earlier runs wrote")
    func checksum() {
        #expect(UnwindCache.checksum([], from: 5) == 5)
        #expect(UnwindCache.checksum([1], from: 0) == 0x9e37_79b9_e17d_05ac)
        #expect(UnwindCache.checksum([1, 2, 3]) == 0x2cc2_524b_5778_d5a2)
        var header = UnwindCache.Header()
        (header.magic, header.version, header.key, header.checksum) = (1, 2, 3, 99)
        (header.start, header.length, header.rulesBlock, header.rules) = (4, 5, 6, 7)
        (header.rows, header.unreadable, header.overlapping, header.unnumbered) = (8, 9, 10, 11)
        #expect(header.sum([12, 13]) == 0x1d39_ba85_e309_d756)
        #expect(UnwindCache.Header.bytes == 96)
        let magic = withUnsafeBytes(of: UnwindCache.magic.littleEndian) { String(decoding: $0, as: UTF8.self) }
        #expect(magic == "unwdtabl")
    }

    @Test(
        "a kept file: its head is magic, version, key with this program's own size and time, then the table's numbers")
    func head() throws {
        let directory = try run("mktemp -d").dropLast()
        defer { _ = try? run("rm -rf '\(directory)'") }
        let cache = UnwindCache(FilePath("\(directory)/unwind"))
        let table = UnwindTable(
            rows: [.init(start: 0x1000, end: 0x1800, rule: 0x80002), .init(start: 0x1400, end: 0x1900, rule: 0x90002)],
            text: 0x1000..<0x3000)
        let key = try #require(self.key(image()))
        cache.store(table, key)
        let bytes = try OpenFile(reading: FilePath("\(directory)/unwind").appending("ab01-77-1000")).readAll(
            limit: 1 << 20)
        let words = bytes.withUnsafeBytes { raw in
            (0..<12).map { raw.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self) }
        }
        let own = try OpenFile(reading: "/proc/self/exe").status()
        let maker = [
            UInt64(own.st_size), UInt64(bitPattern: Int64(own.st_mtim.tv_sec)), UInt64(own.st_mtim.tv_nsec),
        ]
        #expect(words[0] == UnwindCache.magic && words[1] == 1)
        #expect(words[2] == UnwindCache.checksum(key.words + maker))
        #expect(words[4...] == [0x1000, 0x2000, 2, 3, 3, 0, 1, 0])
        #expect(bytes.count == 96 + table.byteCount)
        #expect(cache.table(key) == table)
    }

    @Test("no descriptor of a call that gave none")
    func descriptor() {
        if let opened = OwnedDescriptor(opened: -1) { Issue.record("\(opened.raw)") }
    }
}

/// The numbers at a table's head, each at the last value that fits.
@Suite struct KeptTableBoundaries {
    private func fits(words: Int = 3072, _ change: (inout UnwindCache.Header) -> Void = { _ in }) -> Bool {
        var header = UnwindCache.Header()
        (header.start, header.length, header.rulesBlock, header.rules, header.rows) = (0x1000, 4096, 1, 4, 8)
        change(&header)
        return UnwindTable(header, [UInt32](repeating: 0, count: words)) != nil
    }

    @Test("start: whole pages below 2^63")
    func start() {
        #expect(fits())
        #expect(fits { $0.start = 0 } && fits { $0.start = 4096 } && fits { $0.start = 1 << 62 })
        #expect(!fits { $0.start = 1 } && !fits { $0.start = 2048 } && !fits { $0.start = 4097 })
        #expect(!fits { $0.start = 1 << 63 } && fits { $0.start = 1 << 63 - 4096 })
    }

    @Test("words: whole blocks; rules: in a block that is there, and no more than fit behind its start")
    func blocks() {
        #expect(!fits(words: 0) && !fits(words: 3071) && !fits(words: 3073) && fits(words: 2048))
        #expect(fits { $0.rulesBlock = 2 } && !fits { $0.rulesBlock = 3 } && !fits { $0.rulesBlock = 0 })
        #expect(fits { $0.rules = 1024 } && !fits { $0.rules = 1025 })
        #expect(fits { ($0.rulesBlock, $0.rules) = (2, 512) } && !fits { ($0.rulesBlock, $0.rules) = (2, 513) })
    }

    @Test("length: something, with a word of the index for each chunk, a GiB at most")
    func length() {
        #expect(!fits { $0.length = 0 } && fits { $0.length = 1 })
        #expect(fits { $0.length = 1024 * 1024 - 1 } && !fits { $0.length = 1024 * 1024 })
        #expect(fits { ($0.length, $0.rulesBlock) = (1024 * 1024, 2) })
        let large = 1026 * 1024
        #expect(fits(words: large) { ($0.length, $0.rulesBlock) = (1 << 30, 1025) })
        #expect(!fits(words: large) { ($0.length, $0.rulesBlock) = (1 << 30 + 4096, 1025) })
    }

    @Test("the parts become the table's")
    func parts() throws {
        var header = UnwindCache.Header()
        (header.start, header.length, header.rulesBlock, header.rules, header.rows) = (0x1000, 4096, 1, 4, 8)
        (header.unreadable, header.overlapping, header.unnumbered) = (5, 6, 7)
        let table = try #require(UnwindTable(header, [UInt32](repeating: 0, count: 2048)))
        #expect(table.start == 0x1000 && table.length == 4096 && table.rulesBlock == 1 && table.ruleCount == 4)
        #expect(table.rowCount == 8 && table.byteCount == 8192)
        #expect(table.flaws == .init(unreadable: 5, overlapping: 6, unnumbered: 7))
        header.rows = 1 << 63
        #expect(UnwindTable(header, [UInt32](repeating: 0, count: 2048)) == nil)
    }
}

/// How much is kept.
@Suite struct UnwindCacheBounds {
    private let directory: String
    private let key: UnwindCache.Key
    private let source: TemporaryFile
    private let table = UnwindTable(
        rows: [.init(start: 0x1000, end: 0x1010, rule: 0x80002)], text: 0x1000..<0x2000)

    init() throws {
        directory = String(try run("mktemp -d").dropLast())
        source = try TemporaryFile([1])
        var status = try OpenFile(reading: source.path).status()
        status.st_mode = S_IFREG | 0o600
        let image = ELFImage(isFixed: false, machine: 62, segments: [], buildID: BuildID(bytes: [1]), debugLink: nil)
        key = try #require(UnwindCache.Key(image, status, path: source.path))
    }

    private func kept(after store: (FilePath) -> Void) throws -> [String] {
        store(FilePath(directory))
        let names = try run("ls -A '\(directory)'").split(separator: "\n").map(String.init)
        _ = try run("rm -rf '\(directory)'/*")
        return names.sorted()
    }

    private func old(_ count: Int, bytes: Int) throws {
        for index in 1...count {
            _ = try run(
                "cd '\(directory)' && head -c \(bytes) /dev/zero >old\(index) && touch -d 2001-01-0\(index) old\(index)"
            )
        }
    }

    @Test("a table of less than half the room is kept, one of half of it is not")
    func half() throws {
        defer { _ = try? run("rm -rf '\(directory)'") }
        let bytes = Int64(table.byteCount)
        let own = key.name.description
        #expect(try kept { UnwindCache($0, mostBytes: 2 * bytes).store(table, key) } == [])
        #expect(try kept { UnwindCache($0, mostBytes: 2 * bytes + 1).store(table, key) } == [])
        #expect(try kept { UnwindCache($0, mostBytes: 2 * bytes + 2).store(table, key) } == [own])
    }

    @Test("files go from the longest unused on until the rest has the room, and the number; not one more")
    func oldest() throws {
        defer { _ = try? run("rm -rf '\(directory)'") }
        let own = key.name.description
        let size = table.byteCount + 96
        try old(4, bytes: 50_000)
        #expect(
            try kept { UnwindCache($0, mostBytes: Int64(size + 200_000)).store(table, key) } == [
                own, "old1", "old2", "old3", "old4",
            ])
        try old(4, bytes: 50_000)
        #expect(
            try kept { UnwindCache($0, mostBytes: Int64(size + 199_999)).store(table, key) } == [
                own, "old2", "old3", "old4",
            ])
        try old(4, bytes: 50_000)
        #expect(
            try kept { UnwindCache($0, mostBytes: Int64(size + 100_000)).store(table, key) } == [own, "old3", "old4"])
        try old(4, bytes: 1)
        #expect(
            try kept { UnwindCache($0, mostFiles: 5).store(table, key) } == [own, "old1", "old2", "old3", "old4"])
        try old(4, bytes: 1)
        #expect(try kept { UnwindCache($0, mostFiles: 4).store(table, key) } == [own, "old2", "old3", "old4"])
        try old(4, bytes: 1)
        #expect(try kept { UnwindCache($0, mostFiles: 1).store(table, key) } == [own])
    }

    @Test("within a second, the time of use counts to the nanosecond")
    func nanoseconds() throws {
        defer { _ = try? run("rm -rf '\(directory)'") }
        let own = key.name.description
        for (name, moment) in [("a", "00:00:01.000000002"), ("b", "00:00:01.000000001"), ("c", "00:00:00.999999999")] {
            _ = try run("cd '\(directory)' && echo >\(name) && touch -d '2001-01-01 \(moment)' \(name)")
        }
        #expect(try kept { UnwindCache($0, mostFiles: 2).store(table, key) } == [own, "a"].sorted())
    }
}

@Suite struct UnwindLimitTests {
    @Test("the limits are those that Docs/unwinding.md says")
    func documented() throws {
        let page = try DocumentationPage("unwinding.md")
        #expect(UnwindCache.mostBytes % (1 << 20) == 0 && UnwindTables.mostBytes % (1 << 20) == 0)
        #expect(
            page.says(
                "The directory holds \(UnwindCache.mostBytes >> 20) MiB and \(UnwindCache.mostFiles) files at most"))
        #expect(
            page.says(
                "at most \(UnwindPages.mostMappings) executable mappings, a run \(UnwindUploader.mostTables) tables "
                    + "of \(UnwindTables.mostBytes >> 20) MiB in all"))
        #expect(UnwindGaps.most % (1 << 20) == 0)
        #expect(
            page.says(
                "the first \(UnwindGaps.most >> 20) MiB are looked at, pieces of less than \(UnwindGaps.smallest) bytes"
            ))
    }
}
