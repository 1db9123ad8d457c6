// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

@Suite struct CacheTopScreens {
    private let many = (1...30).map { CacheTopSample.process($0, "名前\($0)", read: UInt64($0) * 10, misses: 1) }
    private let unattributed = PageCacheInterval(readAccess: 1)

    private func screen(
        _ report: CacheTopReport?, width: Int = 90, height: Int = 12,
        _ change: (inout CacheTopScreenState) -> Void = { _ in }
    ) -> [String] {
        var state = CacheTopScreenState()
        change(&state)
        let clock = WallTime(nanoseconds: 0).clockTime
        return CacheTopScreen.lines(
            report, state, width: width, height: height, userName: CacheTopSample.user
        ).map { line in
            (line.isHeading ? "#" : "|") + line.text.replacing(clock, with: "HH:MM:SS", maxReplacements: 1)
        }
    }

    @Test("whole screens: rows, scrolled, filtered, paused, with remarks, narrow, low, before the first interval")
    func golden() throws {
        let report = CacheTopSample.report(many, unattributed: unattributed, losses: Losses(counts: [7, 0, 3]))
        let pictures: [(String, [String])] = [
            ("rows and remarks", screen(report)),
            ("scrolled by one", screen(report) { $0.scroll = 1 }),
            ("scrolled to the last", screen(report) { $0.scroll = 29 }),
            ("scrolled past the last", screen(report) { $0.scroll = 30 }),
            ("paused", screen(report, height: 4) { $0.isPaused = true }),
            ("a filter is typed", screen(report, height: 8) { ($0.filter, $0.isTyping) = ("前2\u{1b}", true) }),
            ("an empty filter is typed", screen(report, height: 8) { $0.isTyping = true }),
            ("filtered, whatever the case", screen(report, height: 8) { $0.filter = "ROOT     名前2" }),
            ("filtered and scrolled", screen(report, height: 8) { ($0.filter, $0.scroll) = ("前2", 2) }),
            ("filtered: none is left", screen(report, height: 8) { $0.filter = "nobody" }),
            ("narrow", screen(report, width: 31, height: 5)),
            ("one line", screen(report, height: 1)),
            ("no rows", screen(CacheTopSample.report([]))),
            ("one row", screen(CacheTopSample.report([many[0]]))),
            ("accesses not seen", screen(CacheTopSample.report([many[0]], seesAccesses: false))),
            (
                "files",
                screen(CacheTopSample.report([CacheTopSample.named(.file, "/f", read: 2)], view: .file)) {
                    $0.view = .file
                }
            ),
            ("a long path", longPath(width: 80)), ("a long path, scrolled sideways", longPath(width: 80, sideways: 16)),
            ("a long path, scrolled to its beginning", longPath(width: 80, sideways: 4096)),
            ("a long path, wide", longPath(width: 120)), ("keys below", screen(report, height: 16)),
            ("before the first interval", screen(nil)), ("before it, keys below", screen(nil, height: 16)),
            ("help", screen(report, height: 40) { $0.showsHelp = true }),
            ("help, low", screen(report, height: 3) { $0.showsHelp = true }),
        ]
        try GoldenFile("cachetop-screens.txt").expect(pictures.flatMap { ["== " + $0] + $1 })
    }

    private func longPath(width: Int, sideways: Int = 0) -> [String] {
        let path = "/srv/data/2026/11/28/shard-0001/index/segment-000042.bin"
        let rows = [CacheTopSample.named(.file, path, read: 2), CacheTopSample.named(.file, "/f", read: 1)]
        return screen(CacheTopSample.report(rows, view: .file), width: width) {
            ($0.view, $0.sideways) = (.file, sideways)
        }
    }

    @Test("a name without room shows its end, and what is before it when it is scrolled")
    func ends() {
        func end(_ room: Int, _ shift: Int = 0) -> String {
            CacheTopScreen.end(of: "abcdefghij", room, scrolledBy: shift)
        }
        #expect(end(10) == "abcdefghij" && end(10, 5) == "abcdefghij")
        #expect(end(5) == "…ghij" && end(5, 1) == "…ghi…" && end(5, 2) == "…fgh…")
        #expect(end(5, 6) == "abcd…" && end(5, 99) == "abcd…" && end(5, -1) == "…ghij")
        #expect(end(2) == "…j" && end(1) == "abcdefghij")
        #expect(CacheTopScreen.end(of: "漢字かな", 5, scrolledBy: 0) == "…かな")
        for room in 2...12 {
            for shift in 0...12 {
                #expect(end(room, shift).count <= room, "\(room) \(shift) \(end(room, shift))")
            }
        }
    }

    @Test("remarks take rows' places only on a screen higher than six lines, and never all of the heading's")
    func remarks() {
        let losses = Losses(counts: [1, 1, 1, 1, 1, 1, 1])
        let report = CacheTopSample.report(many, unattributed: unattributed, losses: losses)
        let seven = screen(report, height: 7)
        #expect(seven.count == 7)
        #expect(seven.dropFirst(2).allSatisfy { $0.hasPrefix("|lost: 1 ") })
        let six = screen(report, height: 6)
        #expect(six.dropFirst(2).allSatisfy { $0.contains(" root ") } && six.count == 6)
        let ten = screen(report, height: 10)
        #expect(ten[2].hasPrefix("|lost: 1 ") && ten[9].hasPrefix("|not in any row"))
        let eleven = screen(report, height: 11)
        #expect(eleven[2].contains(" root ") && eleven[3].hasPrefix("|lost: 1 "))
    }

    @Test(
        "a terminal without columns or lines shows nothing", arguments: [(0, 24), (80, 0), (0, 0), (-1, 24), (80, -1)])
    func nothing(width: Int, height: Int) {
        #expect(screen(nil, width: width, height: height).isEmpty)
        #expect(screen(CacheTopSample.report(many), width: width, height: height).isEmpty)
        #expect(screen(nil, width: width, height: height) { $0.showsHelp = true }.isEmpty)
    }

    @Test("one column, one line")
    func smallest() {
        #expect(screen(nil, width: 1, height: 1) == ["|c"])
        let title = screen(CacheTopSample.report(many), width: 1, height: 1)
        #expect(title == ["|" + WallTime(nanoseconds: 0).clockTime.prefix(1)])
    }

    @Test(
        "cells of a character, at the ends of the wide ranges",
        arguments: [
            ("a", 1), ("\u{2ff}", 1), ("\u{300}", 0), ("\u{36f}", 0), ("\u{370}", 1), ("\u{10ff}", 1), ("\u{1100}", 2),
            ("\u{115f}", 2), ("\u{1160}", 1), ("\u{2e7f}", 1), ("\u{2e80}", 2), ("\u{303e}", 2), ("\u{303f}", 1),
            ("漢", 2), ("\u{a4cf}", 2), ("\u{abff}", 1), ("가", 2), ("\u{d7a3}", 2), ("\u{f8ff}", 1), ("\u{f900}", 2),
            ("\u{fe2f}", 1), ("\u{fe30}", 2), ("\u{ff60}", 2), ("\u{ff61}", 1), ("😀", 2), ("🚀", 2), ("\u{20000}", 2),
            ("é", 1), ("e\u{301}", 1),
        ] as [(Character, Int)])
    func cells(character: Character, cells: Int) { #expect(CacheTopScreen.cells(character) == cells) }

    @Test("a text is cut where the next character has no room")
    func clipped() {
        #expect(CacheTopScreen.clipped("abc", 3) == "abc")
        #expect(CacheTopScreen.clipped("abc", 2) == "ab")
        #expect(CacheTopScreen.clipped("abc", 4) == "abc")
        #expect(CacheTopScreen.clipped("a漢b", 2) == "a")
        #expect(CacheTopScreen.clipped("a漢b", 3) == "a漢")
        #expect(CacheTopScreen.clipped("", 3) == "")
    }
}

@Suite struct CacheTopPressedKeys {
    private func state(
        _ keys: [TerminalKey], from start: CacheTopScreenState = CacheTopScreenState()
    ) -> CacheTopScreenState {
        keys.reduce(into: start) { _ = $0.press($1) }
    }

    @Test("scrolling by one and by ten, never above the top")
    func scrolling() {
        #expect(state([.down]).scroll == 1)
        #expect(state([.down, .down, .up]).scroll == 1)
        #expect(state([.up]).scroll == 0)
        #expect(state([.pageDown]).scroll == 10)
        #expect(state([.pageDown, .pageDown, .pageUp]).scroll == 10)
        #expect(state([.pageDown, .down, .pageUp]).scroll == 1)
        #expect(state([.down, .pageUp]).scroll == 0)
        #expect(state([.pageDown, .home]).scroll == 0)
    }

    @Test("the columns go round, in both directions, in every view")
    func columns() {
        var all: [CacheTopColumn] = []
        var now = CacheTopScreenState()
        for _ in CacheTopColumn.allCases {
            _ = now.press(.text(">"))
            all.append(now.order.column)
        }
        #expect(all == [.misses, .dirties, .readHit, .writeHit, .pid, .uid, .cmd, .hits])
        #expect(state([.text("f"), .text("<")]).order.column == .cmd)
        #expect(state([.text("f"), .text("<"), .text(">")]).order.column == .hits)
        #expect(state([.text("c"), .text(">")]).order.column == .misses)
        #expect(state([.text("<")]).order.column == .cmd)
        #expect(CacheTopScreenState.columns(.file) == [.hits, .misses, .dirties, .readHit, .writeHit, .cmd])
    }

    @Test("another view begins at its top, and is sorted by a column that it has")
    func views() {
        let atPID = state([.text("<"), .text("<"), .text("<"), .down])
        #expect(atPID.order.column == .pid && atPID.scroll == 1)
        let files = state([.text("f")], from: atPID)
        #expect(files.view == .file && files.order.column == .hits && files.scroll == 0)
        #expect(state([.text(">"), .text("c")]).order.column == .misses)
        #expect(state([.text("f"), .text("p")]).view == .process)
        #expect(state([.text("c")]).view == .cgroup)
    }

    @Test("a filter begins at the top, and has at most 64 characters")
    func filter() {
        let typed = state([.down, .text("/")] + Array(repeating: .text("x"), count: 70))
        #expect(typed.filter.count == 64)
        #expect(typed.scroll == 0 && typed.isTyping)
        var full = typed
        #expect(full.press(.text("x")) == .none)
        #expect(full.press(.up) == .none)
        #expect(full.press(.enter) == .redraw && !full.isTyping && full.filter.count == 64)
        #expect(full.press(.escape) == .redraw && full.filter.isEmpty)
        let left = state([.escape], from: typed)
        #expect(left.filter.isEmpty && !left.isTyping)
    }

    @Test("help, pause, order, quit, and keys that mean nothing")
    func others() {
        #expect([.text("h"), .text("?"), .help].allSatisfy { state([$0]).showsHelp })
        #expect(state([.left, .left]).sideways == 16 && state([.left, .right, .right]).sideways == 0)
        #expect(state([.left, .home]).sideways == 0 && state([.left, .text("f")]).sideways == 0)
        #expect(state(Array(repeating: .left, count: 1000)).sideways == 4096)
        #expect(!state([.text("h"), .down]).showsHelp && state([.text("h"), .down]).scroll == 0)
        var help = state([.text("h")])
        #expect(help.press(.text("q")) == .quit)
        help = state([.text("h")])
        #expect(help.press(.text("x")) == .redraw)
        #expect(state([.text(" ")]).isPaused && !state([.text(" "), .text(" ")]).isPaused)
        #expect(!state([.text("r")]).order.descending && state([.text("r"), .text("r")]).order.descending)
        var start = CacheTopScreenState()
        #expect(start.press(.text("Q")) == .quit)
        #expect(start.press(.text("z")) == .none && start.press(.end) == .none && start == CacheTopScreenState())
    }

    @Test(
        "sequences of a terminal, whole and cut",
        arguments: [
            ("\u{1b}[C\u{1b}[D", [.right, .left]), ("\u{1b}[H\u{1b}[1~\u{1b}OH", [.home, .home, .home]),
            ("\u{1b}[F\u{1b}[4~", [.end, .end]), ("\u{1b}[9~x", [.text("x")]), ("\u{1b}[Zx", [.text("x")]),
            ("\u{1b}x", [.escape, .text("x")]), ("\u{1b}\u{1b}[A", [.escape, .up]), ("\u{1b}O", []),
            ("\u{1b}[12;5Bx", [.down, .text("x")]), ("\u{1b}[@x", [.text("x")]), ("\u{1b}[?x", []),
            ("\n\u{8}", [.enter, .backspace]), (" ~", [.text(" "), .text("~")]), ("\u{1f}", []),
            ("漢a", [.text("漢"), .text("a")]), ("\u{1b}OP\u{1b}[11~\u{1b}[[Ax", [.help, .help, .help, .text("x")]),
            ("\u{1b}[P", [.help]), ("\u{1b}[[", []),
        ] as [(String, [TerminalKey])])
    func sequences(text: String, keys: [TerminalKey]) { #expect(TerminalKey.keys(Array(text.utf8)) == keys) }
}
