// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

@Suite struct SwapInLines {
    private let devices = SwapDevices(swaps: "h\n/dev/vda x\n")
    private let all = SwapInKnown(sources: true, asked: true, waits: true, swapouts: true)
    private let none = SwapInKnown(sources: false, asked: false, waits: false, swapouts: false)

    private func row(
        _ pid: UInt32, pages: UInt64, comm: String = "app", cgroup: String? = "/a", asked: UInt64 = 0,
        zswap: UInt64 = 0, zero: UInt64 = 0, known: SwapInKnown? = nil, devices: SwapDevices? = nil
    ) -> SwapInRow {
        var counters = SwapInCounters()
        (counters.pages, counters.askedFaults, counters.zswapPages, counters.zeroPages) = (pages, asked, zswap, zero)
        (counters.swapoutPages, counters.waits, counters.comm) = (3, 4, comm)
        (counters.waitNanoseconds, counters.longestNanoseconds) = (12_345_678 + UInt64(pid), 1_500_000 + UInt64(pid))
        return SwapInRow(
            pid: pid, counters: counters, cgroup: cgroup.map { CgroupPath($0) }, known: known ?? all,
            devices: devices ?? self.devices)
    }

    private func interval(_ rows: [SwapInRow], histogram: [UInt64]? = nil) -> SwapInInterval {
        SwapInInterval(
            time: WallTime(nanoseconds: 0), intervalNanoseconds: 1, rows: rows, vmstat: SwapVMStat(vmstat: ""),
            histogram: histogram.map { Log2Histogram(counts: $0) }, losses: Losses())
    }

    @Test("every layout: many rows, none, those that only swapped out, with a histogram and with an empty one")
    func golden() throws {
        let rows = [
            row(1, pages: 0), row(22, pages: 10, comm: "名\u{1b}", asked: 4, zswap: 2, zero: 1),
            row(4_194_304, pages: 12_345_678, comm: "sixteen-letters-", cgroup: nil), row(5, pages: 1, known: none),
        ]
        let layouts = [
            SwapInText.Layout(), .init(time: false), .init(time: false, wide: true), .init(time: false, byCgroup: true),
            .init(time: false, wide: true, byCgroup: true),
        ]
        let intervals = [interval(rows), interval([], histogram: [0, 2]), interval([rows[1]], histogram: [0, 0])]
        let lines = layouts.flatMap { layout in intervals.flatMap { SwapInText.lines($0, layout) } }
        let clock = WallTime(nanoseconds: 0).clockTime
        try GoldenFile("swapin.txt").expect(lines.map { $0.replacing(clock, with: "HH:MM:SS") })
    }

    @Test("read ahead is what no fault asked for, never below zero")
    func readahead() {
        #expect(row(1, pages: 5, asked: 4).readaheadPages == 1)
        #expect(row(1, pages: 5, asked: 5).readaheadPages == 0)
        #expect(row(1, pages: 5, asked: 6).readaheadPages == 0)
        #expect(row(1, pages: 5, known: none).readaheadPages == nil)
    }

    @Test("where pages came from: nothing from a device is known whatever devices there are")
    func sources() {
        let zram = SwapDevices(swaps: "h\n/dev/zram0 x\n"), both = zram.union(devices)
        let none = row(1, pages: 3, zswap: 2, zero: 1, devices: both)
        #expect(none.diskPages == 0 && none.zramPages == 0 && none.zswapPages == 2 && none.zeroPages == 1)
        let some = row(1, pages: 4, zswap: 2, zero: 1, devices: both)
        #expect(some.diskPages == nil && some.zramPages == nil)
        let disk = row(1, pages: 4, zswap: 2, zero: 1)
        #expect(disk.diskPages == 1 && disk.zramPages == 0)
        let compressed = row(1, pages: 4, zswap: 2, zero: 1, devices: zram)
        #expect(compressed.diskPages == 0 && compressed.zramPages == 1)
    }

    @Test("kinds of devices by their names; the first line is a heading")
    func kinds() {
        let zram = SwapDevices(swaps: "/dev/vda\n/dev/zram0 partition\n/zram1 x\n")
        #expect(zram.zram && !zram.other && !zram.isEmpty)
        #expect(devices.other && !devices.zram && !devices.isEmpty)
        #expect(SwapDevices(swaps: "h\n   \n").isEmpty)
        let nothing = SwapDevices(swaps: "")
        #expect(nothing.union(zram) == zram && zram.union(nothing) == zram && devices.union(nothing) == devices)
        #expect(nothing.union(nothing).isEmpty)
    }

    @Test("the fewest pages first, then by pid, then by cgroup")
    func order() {
        let rows = [row(3, pages: 5), row(2, pages: 5), row(9, pages: 4), row(1, pages: 6)]
        #expect(SwapInRow.sorted(rows).map(\.pid) == [9, 2, 3, 1])
        let groups = SwapInRow.byCgroup([
            row(1, pages: 5, cgroup: "/b"), row(2, pages: 5, cgroup: "/a"), row(3, pages: 5, cgroup: nil),
        ])
        #expect(groups.map(\.cgroup?.path) == [nil, "/a", "/b"])
        #expect(groups.map(\.processes) == [1, 1, 1] && groups.allSatisfy { $0.comm == nil && $0.pid == nil })
    }

    @Test("a cgroup's row: sums, the longest wait of all, unknown where one is unknown")
    func sums() throws {
        let known = try #require(
            SwapInRow.byCgroup([
                row(1, pages: 10, asked: 4, zswap: 2, zero: 1), row(7, pages: 20, asked: 5, zswap: 3, zero: 2),
            ]).first)
        #expect(known.processes == 2 && known.pages == 30 && known.readaheadPages == 21 && known.diskPages == 22)
        #expect(known.zramPages == 0 && known.zswapPages == 5 && known.zeroPages == 3 && known.swapoutPages == 6)
        #expect(known.waits == 8 && known.waitNanoseconds == 24_691_364 && known.longestNanoseconds == 1_500_007)
        let turned = SwapInRow.byCgroup([row(7, pages: 1), row(1, pages: 1)]).first
        #expect(turned?.longestNanoseconds == 1_500_007)
        let unknown = SwapInRow.byCgroup([row(1, pages: 1), row(2, pages: 1, known: none)]).first
        #expect(unknown?.waits == nil && unknown?.diskPages == nil && unknown?.pages == 2)
    }

    @Test("idle is a process that did nothing at all")
    func idle() {
        #expect(SwapInCounters().isIdle)
        for field in [\SwapInCounters.pages, \.swapoutPages, \.waits, \.askedFaults] {
            var counters = SwapInCounters()
            counters[keyPath: field] = 1
            #expect(!counters.isIdle)
        }
    }

    @Test("differences of readings, field by field")
    func since() {
        let fields: [WritableKeyPath<SwapInCounters, UInt64>] = [
            \.pages, \.zswapPages, \.zeroPages, \.askedFaults, \.swapoutPages, \.waits, \.waitNanoseconds,
        ]
        var before = SwapInCounters(), now = SwapInCounters()
        for (index, field) in fields.enumerated() {
            before[keyPath: field] = UInt64(index) + 1
            now[keyPath: field] = 10 * (UInt64(index) + 1)
        }
        (now.comm, now.longestNanoseconds, before.longestNanoseconds) = ("x", 5, 4)
        let difference = now.since(before)
        #expect(fields.map { difference[keyPath: $0] } == [9, 18, 27, 36, 45, 54, 63])
        #expect(difference.comm == "x" && difference.longestNanoseconds == 5)
    }

    @Test("/proc/vmstat's counters of swap, each by its own name")
    func vmstat() {
        let text = "pswpin 1\nzswpin 2\nswpin_zero 3\npswpout 4\n"
        let stat = SwapVMStat(vmstat: text)
        #expect(stat.pswpin == 1 && stat.zswpin == 2 && stat.swpinZero == 3 && stat.pswpout == 4)
        let more = SwapVMStat(vmstat: "pswpin 11\nzswpin 22\nswpin_zero 33\npswpout 44\n").since(stat)
        #expect(more.pswpin == 10 && more.zswpin == 20 && more.swpinZero == 30 && more.pswpout == 40)
        #expect(more.since(SwapVMStat(vmstat: "pswpin 1\n")).pswpout == nil)
    }
}
