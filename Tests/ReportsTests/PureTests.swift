// SPDX-License-Identifier: Apache-2.0
import Reports
import Testing

@Suite struct JSONLines {
    @Test("keys in order, numbers exact, missing values null")
    func shape() {
        var line = JSONLine(type: "x")
        line.add("a", UInt64.max)
        line.add("b", Int?.none)
        line.add("c", 0.5)
        line.add("d", Double.nan)
        line.add("e", ["p", "q\""])
        line.add("f", true)
        var inner = JSONLine()
        inner.add("g", -1)
        line.add("h", inner)
        #expect(
            line.text()
                == #"{"type":"x","a":18446744073709551615,"b":null,"c":0.5,"d":null,"e":["p","q\""],"f":true,"h":{"g":-1}}"#
        )
    }

    @Test("control characters are escaped, bytes that are no UTF-8 replaced")
    func escapes() {
        var line = JSONLine()
        line.add("s", "a\u{1b}[0m\n\t\\\u{7f}é")
        line.add("t", String(decoding: [0x61, 0xff] as [UInt8], as: UTF8.self))
        #expect(line.text() == #"{"s":"a\u001b[0m\n\t\\\u007fé","t":"a"# + "\u{fffd}" + #""}"#)
    }
}

@Suite struct Text {
    @Test("what is not printable is spelt out")
    func printable() {
        #expect(Printable.text("plain é 漢") == "plain é 漢")
        #expect(Printable.text("a\u{1b}[31mb\nc\td\r") == "a\\x1b[31mb\\nc\\td\\x0d")
        #expect(Printable.text("x\u{202e}y") == "x\\u{202e}y")
    }

    @Test(
        "fixed decimals as printf's",
        arguments: [
            (0.0, 2, "0.00"), (99.995, 2, "100.00"), (100.0, 2, "100.00"), (-0.001, 2, "0.00"),
            (-1.5, 0, "-2"), (2.5, 0, "2"), (1234.5678, 1, "1234.6"), (.infinity, 2, "?"), (.nan, 1, "?"),
        ])
    func decimals(value: Double, places: Int, text: String) {
        #expect(fixed(value, places) == text)
    }

    @Test func columns() {
        #expect("ab".right(4) == "  ab")
        #expect("ab".left(4) == "ab  ")
        #expect("abcdef".right(4) == "abcdef")
    }
}

@Suite struct Times {
    @Test("RFC 3339 to the nanosecond")
    func rfc3339() {
        #expect(WallTime(nanoseconds: 0).rfc3339 == "1970-01-01T00:00:00.000000000Z")
        #expect(WallTime(nanoseconds: 1_700_000_000_000_000_007).rfc3339 == "2023-11-14T22:13:20.000000007Z")
        #expect(WallTime(nanoseconds: -1).rfc3339 == "1969-12-31T23:59:59.999999999Z")
    }

    @Test("a program's stamp is a moment ago")
    func monotonic() {
        let age = WallTime.now.nanoseconds - WallTime(monotonic: monotonicNow()).nanoseconds
        #expect(abs(age) < 1_000_000_000)
    }
}

@Suite struct GFP {
    @Test(
        "masks as the kernel log names them",
        arguments: [
            (UInt32(0xcc0), "GFP_KERNEL"), (0x140cca, "GFP_HIGHUSER_MOVABLE|__GFP_COMP"),
            (0x100cca, "GFP_HIGHUSER_MOVABLE"), (0x100cc0, "GFP_USER"), (0x400cc0, "GFP_KERNEL_ACCOUNT"),
            (0xdc0, "GFP_KERNEL|__GFP_ZERO"), (0xc40, "GFP_NOFS"), (0x820, "GFP_ATOMIC"),
            (0x1100dca, "GFP_HIGHUSER_MOVABLE|__GFP_ZERO|0x1000000"), (0, "0x0"),
            (0x142cca, "GFP_HIGHUSER_MOVABLE|__GFP_NOWARN|__GFP_COMP"),
        ])
    func names(mask: UInt32, text: String) {
        #expect(GFPFlags(mask: mask).description == text)
    }
}

@Suite struct Cgroups {
    @Test("leaf-first names become a path")
    func leafFirst() {
        #expect(CgroupPath(leafFirst: Array("c\0b\0a\0".utf8)).path == "/a/b/c")
        #expect(CgroupPath(leafFirst: []).path == "/")
        #expect(CgroupPath(leafFirst: Array("x".utf8)).path == "/x")
    }

    @Test func below() {
        #expect(CgroupPath("/a/b").isBelow(CgroupPath("/a")))
        #expect(CgroupPath("/a").isBelow(CgroupPath("/a")))
        #expect(!CgroupPath("/ab").isBelow(CgroupPath("/a")))
        #expect(CgroupPath("/a").isBelow(CgroupPath("/")))
    }

    @Test("containers and units")
    func managers() {
        let id = String(repeating: "0123456789abcdef", count: 4)
        #expect(CgroupPath("/system.slice/docker-\(id).scope").manager == "container 0123456789ab")
        #expect(CgroupPath("/kubepods/burstable/pod1/\(id)").manager == "container 0123456789ab")
        #expect(CgroupPath("/system.slice/nginx.service").manager == "unit nginx.service")
        #expect(CgroupPath("/user.slice/user-0.slice/session-1.scope/x").manager == "unit session-1.scope")
        #expect(CgroupPath("/").manager == nil)
        #expect(CgroupPath("/oom").manager == nil)
    }
}

@Suite struct Loss {
    @Test("each of the kernel side's causes has its words")
    func causes() {
        #expect(Losses.causes.count == Losses.kernelCauses)
        #expect(Set(Losses.causes.map(\.key)).count == Losses.causes.count)
    }

    @Test("zero is not printed, and always in JSON")
    func lines() {
        let losses = Losses(counts: [3])
        #expect(losses.lines == ["3 events lost: the ring buffer was full"])
        #expect(Losses().lines.isEmpty)
        #expect(losses.json.text().hasPrefix(#"{"ring_full":3,"map_full":0,"#))
        #expect(Losses(counts: [5, 1]).since(losses).counts.prefix(2) == [2, 1])
        #expect(losses.total == 3)
    }
}

@Suite struct PageCacheArithmetic {
    private func counters(
        read: UInt64 = 0, fault: UInt64 = 0, inserted: UInt64 = 0, written: UInt64 = 0, dirtied: UInt64 = 0
    ) -> PageCacheCounters {
        var counters = PageCacheCounters()
        counters.readAccess = read
        counters.faultAccess = fault
        counters.inserted = inserted
        counters.writeAllocated = written
        counters.dirtied = dirtied
        return counters
    }

    @Test("demanded pages are no readahead, however late their use is seen")
    func readaheadUse() {
        var ledger = ReadaheadLedger(from: ReadaheadCounters(used: 100, dropped: 7))
        let first = ledger.advance(
            to: ReadaheadCounters(used: 130, dropped: 7), pages: PageCacheInterval(misses: 64, readahead: 24))
        // 40 were demanded, 30 of them seen used; 10 are owed
        #expect(first == ReadaheadUse(usedPages: 0, droppedPages: 0))
        let second = ledger.advance(
            to: ReadaheadCounters(used: 160, dropped: 11), pages: PageCacheInterval())
        #expect(second == ReadaheadUse(usedPages: 20, droppedPages: 4))
    }

    @Test("cold, warm and written pages")
    func kinds() {
        var ledger = PageCacheLedger(from: counters())
        let cold = ledger.advance(to: counters(read: 100, inserted: 100))
        #expect((cold.hitPages, cold.missPages, cold.hitRatio) == (0, 100, 0))
        let warm = ledger.advance(to: counters(read: 150, fault: 50, inserted: 100))
        #expect((warm.hitPages, warm.missPages, warm.hitRatio) == (100, 0, 1))
        let written = ledger.advance(to: counters(read: 150, fault: 50, inserted: 180, written: 80, dirtied: 80))
        #expect((written.hitPages, written.missPages, written.dirtyPages) == (0, 0, 80))
        #expect(written.hitRatio == nil)
    }

    @Test("more read ahead than asked for: no negative hits")
    func ahead() {
        var ledger = PageCacheLedger(from: counters())
        let row = ledger.advance(to: counters(read: 1, inserted: 32))
        #expect((row.hitPages, row.missPages, row.hitRatio) == (0, 32, 0))
    }

    @Test("a reading between a write's insertion and its dirtying is made good in the next")
    func split() {
        var ledger = PageCacheLedger(from: counters())
        #expect(ledger.advance(to: counters(inserted: 16)).missPages == 16)
        #expect(ledger.advance(to: counters(inserted: 26, written: 16, dirtied: 16)).missPages == 0)
        #expect(ledger.advance(to: counters(inserted: 36, written: 16, dirtied: 16)).missPages == 4)
    }
}

@Suite struct CacheStatGolden {
    private let row = CacheStatRow(
        time: WallTime(nanoseconds: 0), intervalNanoseconds: 1_000_000_000,
        pages: {
            var ledger = PageCacheLedger(from: PageCacheCounters())
            var now = PageCacheCounters()
            now.readAccess = 1000
            now.inserted = 250
            now.dirtied = 7
            return ledger.advance(to: now)
        }(),
        memory: MemoryInfo(meminfo: "Buffers:     2048 kB\nCached:   1048576 kB\n"), losses: Losses())

    @Test func text() {
        #expect(CacheStatText().header == "    HITS   MISSES  DIRTIES HITRATIO   BUFFERS_MB  CACHED_MB")
        #expect(CacheStatText().line(row) == "     750      250        7   75.00%            2       1024")
    }

    @Test func json() {
        let text = CacheStatJSON.line(row).checkedText()
        #expect(
            text.hasPrefix(
                #"{"type":"cachestat","time":"1970-01-01T00:00:00.000000000Z","interval_ns":1000000000,"hit_pages":750,"miss_pages":250,"dirty_pages":7,"hit_ratio":0.75,"write_hit_ratio":1.0,"buffers_bytes":2097152,"cached_bytes":1073741824"#
            ))
    }

    @Test(
        "meminfo that is garbage, cut or overflowing gives nothing, not a crash",
        arguments: [
            "", "Buffers:", "Buffers: x kB", "Cached: 99999999999999999999 kB", "Cached: 18446744073709551615 kB",
            "\0\0\0", "Buffers: -1 kB\nCached:\n",
        ])
    func hostile(text: String) {
        let info = MemoryInfo(meminfo: text)
        #expect(info.buffersBytes == nil)
        #expect(info.cachedBytes == nil)
    }
}
