// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

private let file = CachedFile(major: 8, minor: 1, inode: 42)
private let other = CachedFile(major: 8, minor: 1, inode: 43)

private func entry(
    _ pid: UInt32, _ comm: String = "a", _ file: CachedFile? = file, state: CachedFileState = [], cgroup: UInt64 = 1,
    read: UInt64 = 0, misses: UInt64 = 0, dirty: UInt64 = 0, written: UInt64 = 0
) -> CacheTopEntry {
    CacheTopEntry(
        pid: pid, uid: 0, comm: comm, file: file, fileState: state, cgroup: cgroup,
        pages: PageCacheInterval(
            readAccess: read, misses: misses, dirty: dirty, writeAllocated: written))
}

private func rows(
    _ entries: [CacheTopEntry], by view: CacheTopView, files: Glob? = nil
) -> [CacheTopRow] {
    CacheTopInterval(entries: entries, unattributed: PageCacheInterval()).rows(
        by: view, files: files, fileName: { file, _ in file.map { "/f\($0.inode)" } ?? "[not known]" },
        cgroupName: { "/cgroup\($0)" })
}

private func user(_ uid: UInt32) -> String { uid == 0 ? "root" : "u\(uid)" }

@Suite struct CacheTopGrouping {
    private let entries = [
        entry(1, "a", file, cgroup: 1, read: 100, misses: 100),
        entry(1, "a", other, cgroup: 1, read: 10),
        entry(2, "b", file, cgroup: 2, read: 100),
        entry(3, "c", nil, cgroup: 2, dirty: 8, written: 6),
        entry(4, "idle", file),
    ]

    @Test(
        "columns by the names that they are headed with",
        arguments: [
            ("CMD", CacheTopColumn.cmd), ("file", .cmd), ("CGROUP", .cmd), ("read_hit", .readHit), ("HITS", .hits),
            ("files", nil), ("", nil),
        ])
    func columnNames(text: String, column: CacheTopColumn?) {
        #expect(CacheTopColumn(text) == column)
    }

    @Test("every view sums to the same")
    func sums() {
        for view in CacheTopView.allCases {
            let sum = rows(entries, by: view).reduce(PageCacheInterval()) { $0 + $1.pages }
            #expect(sum.readAccessPages == 210)
            #expect(sum.missPages == 100)
            #expect(sum.dirtyPages == 8)
        }
    }

    @Test("one process on two files, two processes on one file; the idle have no row")
    func groups() throws {
        let byProcess = rows(entries, by: .process).sorted { $0.pid ?? 0 < $1.pid ?? 0 }
        #expect(byProcess.map(\.pid) == [1, 2, 3])
        #expect(byProcess.map(\.pages.hitPages) == [10, 100, 0])
        let shared = try #require(rows(entries, by: .file).first { $0.file == file })
        #expect(shared.name == "/f42")
        #expect((shared.pages.accessPages, shared.pages.hitPages, shared.pages.missPages) == (200, 100, 100))
        #expect(shared.pages.hitRatio == 0.5)
        #expect(Set(rows(entries, by: .cgroup).map(\.name)) == ["/cgroup1", "/cgroup2"])
    }

    @Test("a process has the name that it took by exec, whichever of its files was seen first")
    func names() {
        let before = entry(1, "sh", file, read: 3), after = entry(1, "cat", other, read: 100)
        let exec = entry(1, "cat", nil, state: .executed), child = entry(2, "sh", file, read: 1)
        for entries in [[before, after, exec, child], [exec, after, before, child]] {
            let named = rows(entries, by: .process).sorted { $0.pid ?? 0 < $1.pid ?? 0 }
            #expect(named.map(\.comm) == ["cat", "sh"])
            #expect(named.map(\.pages.readAccessPages) == [103, 1])
        }
        #expect(rows([exec], by: .process).isEmpty)
    }

    @Test("a pattern of files narrows every view")
    func glob() {
        #expect(rows(entries, by: .process, files: Glob("*43")).map(\.pid) == [1])
        #expect(rows(entries, by: .process, files: Glob("/nope")).isEmpty)
    }

    @Test("ratios: of what was accessed, of what became dirty, and none of nothing")
    func ratios() {
        let nothing = PageCacheInterval()
        #expect(nothing.hitRatio == nil)
        #expect(nothing.writeHitRatio == nil)
        #expect(nothing.isEmpty)
        #expect(PageCacheInterval(dirty: 8, writeAllocated: 6).writeHitRatio == 0.25)
        // created by the write, dirtied in the next interval
        #expect(PageCacheInterval(dirty: 8, writeAllocated: 9).writeHitRatio == 0)
        #expect(PageCacheInterval(readAccess: 4, misses: 1).hitRatio == 0.75)
    }

    @Test("pages that moved from one key to another are made good")
    func carry() {
        var carry = PageCacheCarry()
        var moved = PageCacheCounters()
        moved.faultAccess = 0 &- 16
        #expect(carry.interval(of: moved).faultAccessPages == 0)
        #expect(!carry.isEmpty)
        var next = PageCacheCounters()
        next.faultAccess = 20
        #expect(carry.interval(of: next).faultAccessPages == 4)
        #expect(carry.isEmpty)
    }
}

@Suite struct CacheTopSorting {
    @Test("by every column, both ways")
    func columns() {
        let unsorted = rows(
            [
                entry(3, "b", read: 10, misses: 5), entry(1, "c", read: 30, dirty: 1),
                entry(2, "a", read: 20, misses: 20, dirty: 2, written: 2),
            ], by: .process)
        let expected: [CacheTopColumn: [UInt32]] = [
            .pid: [3, 2, 1], .cmd: [1, 3, 2], .hits: [1, 3, 2], .misses: [2, 3, 1],
            .dirties: [2, 1, 3], .readHit: [1, 3, 2], .writeHit: [1, 2, 3],
        ]
        for (column, pids) in expected {
            let down = CacheTopOrder(column: column, descending: true)
            #expect(down.sorted(unsorted, userName: user).map(\.pid) == pids, "\(column)")
            let up = CacheTopOrder(column: column, descending: false)
            if column != .readHit && column != .hits {
                #expect(up.sorted(unsorted, userName: user).map(\.pid) == pids.reversed(), "\(column)")
            }
        }
    }

    @Test("columns by their headings")
    func names() {
        #expect(CacheTopColumn("read_hit%") == .readHit)
        #expect(CacheTopColumn("WRITE_HIT") == .writeHit)
        #expect(CacheTopColumn("hits") == .hits)
        #expect(CacheTopColumn("hit") == nil)
        #expect(CacheTopColumn("") == nil)
    }
}

@Suite struct CacheTopGolden {
    private func report(
        _ rows: [CacheTopRow], seesAccesses: Bool = true, unattributed: PageCacheInterval = PageCacheInterval()
    ) -> CacheTopReport {
        CacheTopReport(
            time: WallTime(nanoseconds: 0), intervalNanoseconds: 5_000_000_000, view: .process,
            order: CacheTopOrder(), rows: rows, total: PageCacheInterval(readAccess: 4, misses: 1),
            unattributed: unattributed, seesAccesses: seesAccesses,
            memory: MemoryInfo(meminfo: "Buffers:     2048 kB\nCached:   1048576 kB\n"), losses: Losses())
    }

    @Test("bcc's heading and columns")
    func text() throws {
        let row = try #require(
            rows([entry(544, "dbus-daemon", read: 4, misses: 1, dirty: 4, written: 3)], by: .process).first)
        #expect(
            CacheTopText.title(report([row])).hasSuffix(
                " Buffers MB: 2 / Cached MB: 1024 / Sort: HITS / Order: descending"))
        #expect(
            CacheTopText.header(.process)
                == "PID      UID      CMD              HITS     MISSES   DIRTIES  READ_HIT%  WRITE_HIT%")
        #expect(
            CacheTopText.line(row, seesAccesses: true, userName: user)
                == "     544 root     dbus-daemon             3        1        4      75.0%      25.0%")
        #expect(
            CacheTopText.line(row, seesAccesses: false, userName: user)
                == "     544 root     dbus-daemon             ?        1        4          ?      25.0%")
    }

    @Test("what a process calls itself can't harm the terminal")
    func hostile() throws {
        let row = try #require(rows([entry(1, "\u{1b}[2J\n", read: 1)], by: .process).first)
        #expect(CacheTopText.line(row, seesAccesses: true, userName: user).contains("\\x1b[2J\\n"))
    }

    @Test func json() throws {
        let row = try #require(rows([entry(1, "a", read: 4, misses: 1)], by: .file).first)
        let text = CacheTopJSON.line(row, of: report([row])).checkedText()
        #expect(
            text.hasPrefix(
                #"{"type":"cachetop","time":"1970-01-01T00:00:00.000000000Z","interval_ns":5000000000,"by":"file","pid":null,"uid":null,"comm":null,"file":"/f42","device":"8:1","inode":"0x2a","cgroup":null,"hit_pages":3,"miss_pages":1,"dirty_pages":0,"read_hit_ratio":0.75,"write_hit_ratio":null,"#
            ))
        let blind = CacheTopJSON.line(row, of: report([row], seesAccesses: false)).checkedText()
        #expect(blind.contains(#""hit_pages":null,"miss_pages":1"#))
        #expect(blind.contains(#""read_hit_ratio":null"#))
        #expect(CacheTopJSON.line(report([row])).checkedText().contains(#""type":"cachetop_interval""#))
    }

    @Test("the interval counts what is in no row: accesses, misses and dirtied pages")
    func unattributed() {
        let report = report([], unattributed: PageCacheInterval(readAccess: 1, misses: 20, dirty: 300))
        #expect(CacheTopJSON.line(report).checkedText().contains(#""unattributed_pages":321,"#))
    }
}

@Suite struct CacheTopKeys {
    @Test(
        "bytes of a terminal become keys; nonsense becomes none",
        arguments: [
            ("q", [TerminalKey.text("q")]), ("\u{1b}[A\u{1b}OB", [.up, .down]),
            ("\u{1b}[5~\u{1b}[6~", [.pageUp, .pageDown]), ("\u{1b}", [.escape]), ("\u{1b}[1;5D", [.left]),
            ("é", [.text("é")]), ("\r\u{7f}", [.enter, .backspace]), ("\u{1b}[", []), ("\u{1}\u{2}", []),
        ])
    func keys(text: String, expected: [TerminalKey]) {
        #expect(TerminalKey.keys(Array(text.utf8)) == expected)
    }

    @Test("no bytes whatever break the reading of keys")
    func hostile() {
        #expect(TerminalKey.keys([0xff, 0xfe, 0x80, 0xc3]).isEmpty)
    }

    @Test("sort column, order, views, filter, pause, help, quit")
    func state() {
        var state = CacheTopScreenState()
        #expect(state.press(.text(">")) == .redraw)
        #expect(state.order.column == .misses)
        for _ in 0..<4 { _ = state.press(.text("<")) }
        #expect(state.order.column == .pid)
        _ = state.press(.text("<"))
        #expect(state.order.column == .writeHit)
        _ = state.press(.text("r"))
        #expect(!state.order.descending)
        _ = state.press(.text("f"))
        #expect(state.view == .file)
        // while a filter is typed, letters are letters
        _ = state.press(.text("/"))
        for key in "qré" { #expect(state.press(.text(String(key))) == .redraw) }
        #expect(state.filter == "qré")
        _ = state.press(.backspace)
        _ = state.press(.enter)
        #expect(state.filter == "qr")
        _ = state.press(.escape)
        #expect(state.filter.isEmpty)
        _ = state.press(.text(" "))
        #expect(state.isPaused)
        _ = state.press(.text("?"))
        #expect(state.showsHelp)
        _ = state.press(.text("x"))
        #expect(!state.showsHelp)
        #expect(state.press(.text("q")) == .quit)
    }

    @Test(
        "10 000 rows on a screen of any size: never more than fits",
        arguments: [
            (1, 1), (2, 3), (20, 4), (80, 24), (500, 200), (0, 0), (80, 0),
        ])
    func sizes(width: Int, height: Int) {
        let many = rows((0..<10_000).map { entry($0, "名前\($0)", read: UInt64($0)) }, by: .process)
        let order = CacheTopOrder()
        let report = CacheTopReport(
            time: WallTime(nanoseconds: 0), intervalNanoseconds: 1, view: .process, order: order,
            rows: order.sorted(many, userName: user), total: PageCacheInterval(),
            unattributed: PageCacheInterval(readAccess: 1), seesAccesses: true,
            memory: MemoryInfo(meminfo: ""), losses: Losses(counts: [1]))
        for scroll in [0, 5, 100_000] {
            var state = CacheTopScreenState()
            state.scroll = scroll
            let lines = CacheTopScreen.lines(report, state, width: width, height: height, userName: user)
            #expect(lines.count <= height)
            for line in lines {
                #expect(line.text.reduce(0) { $0 + CacheTopScreen.cells($1) } <= width)
            }
        }
    }

    /// A heading and column titles above the rows; remarks below where the screen is higher than six lines, and keys
    /// below them where it is higher than fifteen.
    @Test(
        "a screen is full, and its remarks are below the rows",
        arguments: [(5, 3, 0), (6, 4, 0), (7, 3, 2), (15, 11, 2), (16, 11, 2), (24, 19, 2)])
    func places(height: Int, rowCount: Int, remarkCount: Int) {
        let many = rows((0..<100).map { entry($0, read: 1) }, by: .process)
        let report = CacheTopReport(
            time: WallTime(nanoseconds: 0), intervalNanoseconds: 1, view: .process, order: CacheTopOrder(),
            rows: many, total: PageCacheInterval(), unattributed: PageCacheInterval(readAccess: 1),
            seesAccesses: true, memory: MemoryInfo(meminfo: ""), losses: Losses(counts: [1]))
        let lines = CacheTopScreen.lines(
            report, CacheTopScreenState(), width: 200, height: height, userName: user)
        #expect(lines.count == height)
        #expect(lines[1].isHeading)
        #expect(lines.filter { $0.text.contains(" root ") }.count == rowCount)
        #expect((lines.last?.text == CacheTopScreen.footer) == (height > 15))
        #expect(lines.suffix(remarkCount).allSatisfy { !$0.text.contains(" root ") })
        #expect(lines.contains { $0.text.hasPrefix("lost: 1 ") } == (remarkCount > 0))
    }

    @Test("wide characters take two cells")
    func clipping() {
        #expect(CacheTopScreen.clipped("名前x", 3) == "名")
        #expect(CacheTopScreen.clipped("名前x", 5) == "名前x")
        #expect(CacheTopScreen.clipped("abc", 0) == "")
    }
}
