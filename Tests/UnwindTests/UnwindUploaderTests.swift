// SPDX-License-Identifier: Apache-2.0
import Glibc
import CUnwind
import LibBPF
import Symbols
import TraceRecords
import Testing

@testable import Unwind

/// What is written into the programs' maps, and in which order; the maps are no kernel's.
@Suite struct UnwindUploaderTests {
    /// Maps as a log of what was written.
    private final class Maps: UnwindMaps {
        enum Step: Equatable {
            case tables(Int)
            case page(UInt32, of: UInt32)
            case noPage(UInt32, of: UInt32)
            case noParent(UInt32)
            case mayAsk(UInt32)
            case generation(UInt64)
        }
        var log: [Step] = []
        var placed: [UnwindTables.ID: UnwindTable] = [:]
        var pages: [UInt32: unwind_page] = [:]
        var isFull = false

        func steps() -> [Step] {
            defer { log = [] }
            return log
        }

        func place(_ tables: [(id: UnwindTables.ID, table: UnwindTable)]) -> [UnwindTables.ID] {
            log.append(.tables(tables.count))
            if isFull { return tables.map(\.id) }
            for (id, table) in tables { placed[id] = table }
            return []
        }
        func set(page number: UInt32, of pid: UInt32, to page: unwind_page) {
            log.append(.page(number, of: pid))
            pages[number] = page
        }
        func remove(page number: UInt32, of pid: UInt32) {
            log.append(.noPage(number, of: pid))
            pages[number] = nil
        }
        func forgetParent(of pid: UInt32) { log.append(.noParent(pid)) }
        func allowAsking(_ pid: UInt32) { log.append(.mayAsk(pid)) }
        func set(generation: UInt64) { log.append(.generation(generation)) }
    }

    /// Processes as the test says they are.
    private final class Processes: UnwindSource {
        var regions: [Int32: [UnwindRegion]] = [:]
        var tables: [UnwindTables.ID: UnwindTable] = [:]
        let summary = "none"

        func regions(of pid: Int32) throws(SymbolError) -> [UnwindRegion] {
            guard let found = regions[pid] else {
                throw .system(operation: "open", path: "/proc/\(pid)/maps", errno: ENOENT)
            }
            return found
        }
        func take(_ id: UnwindTables.ID) -> UnwindTable? { tables.removeValue(forKey: id) }
    }

    private let maps = Maps()
    private let processes = Processes()

    /// A program and a library of two mappings, a JIT's code between them, the kernel's trampoline.
    private func program() -> [UnwindRegion] {
        let row = unwind_row(start: 0x1000, end: 0x1010, rule: UInt64(UNWIND_SP.rawValue) | 8 << 16)
        processes.tables = [
            1: UnwindTable(rows: [row], text: 0x1000..<0x2000), 2: UnwindTable(rows: [row], text: 0..<0x40_0000),
        ]
        return [
            UnwindRegion(start: 0x1000, end: 0x2000, rules: .table(1, offset: 0)),
            UnwindRegion(start: 0x5000, end: 0x7000, rules: .framePointers),
            UnwindRegion(start: 0x10_0000, end: 0x11_0000, rules: .table(2, offset: 0x1000)),
            UnwindRegion(start: 0x11_0000, end: 0x12_0000, rules: .table(2, offset: 0x20_0000)),
            UnwindRegion(start: 0x20_0000, end: 0x20_1000, rules: .none),
        ]
    }

    private func uploader(note: @escaping (String) -> Void = { _ in }) throws -> UnwindUploader {
        processes.regions[7] = program()
        return try UnwindUploader(processes, maps, note: note)
    }

    @Test("tables first, once each, then the page, the generation last; a second time nothing")
    func order() throws {
        var uploader = try uploader()
        #expect(maps.steps() == [.generation(1)])
        let isNew = try uploader.load(7)
        #expect(isNew)
        #expect(maps.steps() == [.tables(2), .page(0, of: 7), .noParent(7), .generation(2)])
        let again = try uploader.load(7)
        #expect(!again && maps.steps().isEmpty)
        let page = try #require(maps.pages[0])
        #expect(page.pid == 7 && page.generation == 1 && page.count == 5 && page.pages == 1)
        let mappings = UnwindPagesTests.mappings(page).prefix(5)
        #expect(mappings.map(\.table) == [1, 0, 2, 2, UInt32(UNWIND_NO_CODE)])
        #expect(mappings.map(\.offset) == [0, 0, 0x1000, 0x20_0000, 0])
        let (first, second) = try (#require(maps.placed[1]).rulesBlock, #require(maps.placed[2]).rulesBlock)
        #expect(first == 2 && second == 5 && mappings.map(\.rules) == [first, 0, second, second, 0])
    }

    @Test("a second process with the same files: no table again; a generation of its own")
    func second() throws {
        var uploader = try uploader()
        try uploader.load(7)
        processes.regions[8] = processes.regions[7]
        _ = maps.steps()
        try uploader.load(8)
        #expect(maps.steps() == [.tables(0), .page(0, of: 8), .noParent(8), .generation(3)])
        let page = try #require(maps.pages[0])
        #expect(page.pid == 8 && page.generation == 2)
        #expect(UnwindPagesTests.mappings(page).prefix(5).map(\.table) == [1, 0, 2, 2, UInt32(UNWIND_NO_CODE)])
    }

    @Test("more mappings than a page has: the first page behind the others, all of one generation")
    func many() throws {
        var uploader = try uploader()
        try uploader.load(7)
        processes.regions[7] = (0..<200).map {
            UnwindRegion(start: $0 << 16, end: $0 << 16 + 0x1000, rules: .framePointers)
        }
        _ = maps.steps()
        let isNew = try uploader.load(7)
        #expect(isNew)
        #expect(
            maps.steps() == [
                .tables(0), .page(3, of: 7), .page(2, of: 7), .page(1, of: 7), .page(0, of: 7), .noParent(7),
                .generation(3),
            ])
        let pages = try (0..<4).map { try #require(maps.pages[$0]) }
        #expect(pages.allSatisfy { $0.generation == 2 && $0.pages == 4 && $0.pid == 7 })
        #expect(pages.map(\.count) == [64, 64, 64, 8])
        // Swift 6.2.3 crashes on this in one expression
        let last: UInt64? = UnwindPagesTests.found(199 << 16, pages)?.end, end: UInt64 = 199 << 16 + 0x1000
        #expect(last == end)
        // all of them go with the process
        try uploader.forget(7)
        #expect(
            maps.steps() == [
                .noParent(7), .mayAsk(7), .noPage(0, of: 7), .noPage(1, of: 7), .noPage(2, of: 7), .noPage(3, of: 7),
            ])
    }

    @Test("more than all pages have: the rest is left out, and no page too many is removed")
    func tooMany() throws {
        var uploader = try uploader()
        processes.regions[7] = (0..<3000).map {
            UnwindRegion(start: $0 << 16, end: $0 << 16 + 0x1000, rules: .framePointers)
        }
        try uploader.load(7)
        #expect(maps.pages.count == Int(UNWIND_PAGES))
        let pages = try (0..<UNWIND_PAGES).map { try #require(maps.pages[UInt32($0)]) }
        #expect(UnwindPagesTests.found(2047 << 16, pages) != nil && UnwindPagesTests.found(2048 << 16, pages) == nil)
        try uploader.forget(7)
        #expect(maps.pages.isEmpty && maps.log.count == 3 + 2 * Int(UNWIND_PAGES) + 1 + 2)
    }

    @Test("no room for a table: said once, and its code is walked by frame pointers")
    func full() throws {
        maps.isFull = true
        var notes: [String] = []
        var uploader = try uploader { notes.append($0) }
        try uploader.load(7)
        #expect(notes == Array(repeating: "no room for the unwind table of a file (0 MiB)", count: 2))
        let mappings = UnwindPagesTests.mappings(try #require(maps.pages[0]))
        #expect(mappings.prefix(5).map(\.table) == [0, 0, 0, 0, UInt32(UNWIND_NO_CODE)])
        // room comes too late for them
        maps.isFull = false
        try uploader.execed(7)
        #expect(maps.log.last == .generation(3) && notes.count == 2 && maps.placed.isEmpty)
    }

    @Test("who asks is answered at once where there is news, and later where there is none")
    func asking() throws {
        var uploader = try uploader()
        try uploader.asked(7)
        #expect(maps.steps().last == .mayAsk(7) && !uploader.hasAskers)
        try uploader.asked(7)
        #expect(maps.steps().isEmpty && uploader.hasAskers && uploader.delay == 0.02)
        try uploader.rearm()
        #expect(maps.steps() == [.mayAsk(7)] && !uploader.hasAskers && uploader.delay == 0.04)
        // longer from time to time, but not without end
        for _ in 0..<10 {
            try uploader.asked(7)
            try uploader.rearm()
        }
        #expect(uploader.delay == 0.64)
        // until there is news again
        try uploader.asked(7)
        processes.regions[7]?.removeLast()
        try uploader.rearm()
        #expect(uploader.delay == 0.02)
        _ = maps.steps()
        try uploader.rearm()
        #expect(maps.steps().isEmpty)
    }

    @Test("a JIT that maps without end is answered a hundred times a second, then later")
    func allowance() throws {
        var uploader = try uploader()
        let begun = ContinuousClock.now
        var atOnce = 0
        for round in UInt64(1)...300 {
            processes.regions[7] = [UnwindRegion(start: round << 12, end: round << 13, rules: .framePointers)]
            try uploader.asked(7)
            if !uploader.hasAskers { atOnce += 1 }
            try uploader.rearm()
        }
        let seconds = Int(begun.duration(to: .now) / .seconds(1))
        #expect(atOnce >= 100 && atOnce <= 100 * (seconds + 2))
    }

    @Test("exec: read anew, whatever was known; a process that is gone keeps what it had")
    func gone() throws {
        var uploader = try uploader()
        try uploader.load(7)
        _ = maps.steps()
        try uploader.execed(7)
        #expect(maps.steps() == [.tables(0), .page(0, of: 7), .noParent(7), .generation(3)])
        processes.regions[7] = nil
        let isNew = try uploader.load(7)
        #expect(!isNew && maps.steps().isEmpty)
        try uploader.forget(7)
        #expect(maps.steps() == [.noParent(7), .mayAsk(7), .noPage(0, of: 7)])
        try uploader.forget(8)
        #expect(maps.steps() == [.noParent(8), .mayAsk(8)])
    }
}
