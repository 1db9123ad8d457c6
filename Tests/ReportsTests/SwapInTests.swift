// SPDX-License-Identifier: Apache-2.0
import TraceRecords
import Reports
import Testing

@Suite struct SwapIns {
    private func record(
        pages: UInt64, seen: UInt64, comm: String = "app", zswap: UInt64 = 0, zero: UInt64 = 0,
        asked: UInt64 = 0, longest: (UInt64, UInt64) = (0, 0), epochs: (UInt32, UInt32) = (0, 0)
    ) -> swapin_counters {
        var record = swapin_counters()
        record.pages = pages
        record.zswap_pages = zswap
        record.zero_pages = zero
        record.asked_faults = asked
        record.wait_ns = pages * 1000
        record.waits = pages
        record.longest_ns = longest
        record.epoch = epochs
        record.seen_ns = seen
        withUnsafeMutableBytes(of: &record.comm) { $0.copyBytes(from: comm.utf8.prefix(15)) }
        return record
    }

    @Test("the CPUs are summed; the name is the latest's, the longest wait the epoch's")
    func sum() {
        let counters = SwapInCounters(
            records: [
                record(pages: 3, seen: 9, comm: "new", longest: (50, 7), epochs: (4, 5)),
                record(pages: 4, seen: 2, comm: "old", longest: (90, 8), epochs: (2, 5)),
            ], epoch: 4)
        #expect(counters.pages == 7)
        #expect(counters.comm == "new")
        #expect(counters.longestNanoseconds == 50)
        let next = SwapInCounters(records: [record(pages: 9, seen: 10, longest: (50, 7), epochs: (4, 5))], epoch: 5)
        #expect(next.since(counters).pages == 2)
        // a CPU took off what another had counted in the interval before
        #expect(counters.since(next).pages == 0)
        #expect(next.longestNanoseconds == 7)
        #expect(SwapInCounters(records: [], epoch: 1).isIdle)
    }

    private let all = SwapInKnown(sources: true, asked: true, waits: true, swapouts: true)

    private func row(
        _ pid: UInt32, _ pages: UInt64, cgroup: String? = "/a", devices: SwapDevices, known: SwapInKnown? = nil
    )
        -> SwapInRow
    {
        let counters = SwapInCounters(
            records: [record(pages: pages, seen: 1, zswap: 2, zero: 1, asked: pages / 2)], epoch: 1)
        return SwapInRow(
            pid: pid, counters: counters, cgroup: cgroup.map(CgroupPath.init), known: known ?? all, devices: devices)
    }

    @Test("a device's pages are zram's or another's where only one kind is in use")
    func devices() {
        let zram = SwapDevices(swaps: "Filename Type Size Used Priority\n/dev/zram0 partition 1 0 100\n")
        let disk = SwapDevices(swaps: "Filename\tType\n/swap\\040file file 1 0 -2\n")
        #expect(row(1, 10, devices: zram).zramPages == 7)
        #expect(row(1, 10, devices: zram).diskPages == 0)
        #expect(row(1, 10, devices: disk).diskPages == 7)
        let both = row(1, 10, devices: zram.union(disk))
        #expect(both.zramPages == nil && both.diskPages == nil && both.zswapPages == 2)
        #expect(SwapDevices(swaps: "Filename Type\n").isEmpty)
        #expect(SwapDevices(swaps: "").isEmpty)
    }

    private func interval(_ rows: [SwapInRow], histogram: Log2Histogram? = nil) -> SwapInInterval {
        SwapInInterval(
            time: WallTime(nanoseconds: 0), intervalNanoseconds: 1_000_000_000, rows: rows,
            vmstat: SwapVMStat(vmstat: "pswpin 30\npswpout 4\n").since(SwapVMStat(vmstat: "pswpin 10\npswpout 4\n")),
            histogram: histogram, losses: Losses())
    }

    @Test("bcc's text: columns, order and words")
    func text() {
        let disk = SwapDevices(swaps: "h\n/dev/vda x\n")
        let rows = SwapInRow.sorted([row(77, 12, devices: disk), row(5, 3, devices: disk)])
        #expect(
            SwapInText.lines(interval(rows), .init(time: false)) == [
                "COMM             PID     COUNT", "app              5       3", "app              77      12", "",
            ])
        #expect(SwapInText.header == "Counting swap ins. Ctrl-C to end.")
        #expect(SwapInText.lines(interval([]), .init()).count == 3)
    }

    @Test("a name that would move the cursor is spelt out")
    func hostileName() {
        var bad = row(1, 9, devices: SwapDevices(swaps: ""))
        bad.comm = "a\u{1b}[2J\n"
        #expect(SwapInText.lines(interval([bad]), .init(time: false))[1] == "a\\x1b[2J\\n       1       9")
    }

    @Test("wide: what can't be told is a dash, never 0")
    func wide() {
        let known = SwapInKnown(sources: false, asked: false, waits: false, swapouts: false)
        let line = SwapInText.lines(
            interval([row(1, 9, devices: SwapDevices(swaps: ""), known: known)]), .init(time: false, wide: true))[1]
        #expect(
            line
                == "app              1             9       -       -       -       -       -       -          -         - /a"
        )
        let told = SwapInText.lines(
            interval([row(1, 9, devices: SwapDevices(swaps: "h\n/dev/zram1 x"))]), .init(time: false, wide: true))[1]
        #expect(
            told
                == "app              1             9       5       0       6       2       1       0      0.009     0.000 /a"
        )
    }

    @Test("rows of a cgroup add up, to unknown where one is")
    func grouped() {
        let disk = SwapDevices(swaps: "h\n/dev/vda x\n")
        var other = row(2, 5, devices: disk)
        other.swapoutPages = nil
        let groups = SwapInRow.byCgroup([row(1, 10, devices: disk), other, row(3, 1, cgroup: "/b", devices: disk)])
        #expect(groups.map(\.cgroup?.path) == ["/b", "/a"])
        #expect(groups[1].pages == 15 && groups[1].processes == 2 && groups[1].pid == nil)
        #expect(groups[1].swapoutPages == nil && groups[1].zswapPages == 4)
    }

    @Test("JSON: rows, then the interval with vmstat's own figures; unknown is null")
    func json() {
        let lines = SwapInJSON.lines(
            interval([row(1, 9, devices: SwapDevices(swaps: ""))], histogram: Log2Histogram(counts: [0, 2]))
        )
        .map { $0.checkedText() }
        #expect(lines.count == 2)
        #expect(
            lines[0].hasPrefix(
                #"{"type":"swapin","time":"1970-01-01T00:00:00.000000000Z","interval_ns":1000000000,"pid":1,"comm":"app","cgroup":"/a","#
            ))
        #expect(
            lines[1].contains(
                #""vmstat_pswpin_pages":20,"vmstat_zswpin_pages":null,"vmstat_swpin_zero_pages":null,"vmstat_pswpout_pages":0"#
            ))
        #expect(
            lines[1].contains(
                #""wait_histogram":[{"from_us":0,"to_us":1,"count":0},{"from_us":2,"to_us":3,"count":2}]"#))
    }

    @Test("vmstat that is cut, empty or no numbers", arguments: ["", "pswpin", "pswpin x\n", "pswpin 1 2\n", "\n\n"])
    func hostileVMStat(text: String) {
        #expect(SwapVMStat(vmstat: text).pswpin == nil)
    }
}

@Suite struct Histograms {
    @Test("the rows that BPF tools draw")
    func rows() {
        #expect(
            Log2Histogram(counts: [0, 8, 4, 1, 0]).lines(unit: "usecs") == [
                "     usecs               : count     distribution",
                "         0 -> 1          : 0        |                                        |",
                "         2 -> 3          : 8        |****************************************|",
                "         4 -> 7          : 4        |*******************                     |",
                "         8 -> 15         : 1        |****                                    |",
            ])
        #expect(Log2Histogram(counts: [0, 0]).lines(unit: "usecs").isEmpty)
        #expect(Log2Histogram(counts: []).json(unit: "us").isEmpty)
    }

    @Test func difference() {
        #expect(Log2Histogram(counts: [5, 7]).since(Log2Histogram(counts: [1])).counts == [4, 7])
    }
}
