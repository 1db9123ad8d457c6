// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

/// Outputs as a whole, each column and each number where it is known to be right.
@Suite struct WholeOutputs: MemStallSamples {
    private func waiting(_ grouping: MemStallRow.Grouping = .task) -> MemStallInterval {
        func cgroup(_ some: Int, _ full: Int, usage: Int) -> StallCgroupFiles {
            files([
                "memory.pressure": "some total=\(some)\nfull total=\(full)\n", "memory.current": "\(usage)\n",
                "memory.max": "104857600\n",
            ])
        }
        let rows = [
            row(.memcgMax, tid: 101, milliseconds: 1234, count: 1913, pages: 88263, limit: "/p", cgroup: "/p/a"),
            row(.memcgMax, tid: 102, pid: 8, milliseconds: 321, count: 7, pages: 500, limit: "/p", cgroup: "/p/b"),
            row(.directReclaim, tid: 103, milliseconds: 60, pages: 12, cgroup: "/elsewhere/a-name-that-is-long"),
            row(.refault, tid: nil, milliseconds: 9, comm: nil),
            row(.dirtyThrottle, tid: 105, milliseconds: 77), row(.kswapd, tid: 50, milliseconds: 400, comm: "kswapd0"),
        ]
        var interval = interval(
            rows, shown: MemStallRow.grouped(rows, by: grouping),
            pressure: MemoryPressure(some: 1_700_000_000, full: 7_000_000), explained: 1_600_000_000,
            vmstat: "pgscan_kswapd 1000\npgsteal_kswapd 900\npgscan_direct 8\npgsteal_direct 2\n",
            histograms: [.refault: Log2Histogram(counts: [0, 3, 9, 1]), .memcgMax: Log2Histogram(counts: [1])],
            files: [
                "/p": (cgroup(0, 0, usage: 1 << 20), cgroup(900_000, 4000, usage: 100 << 20)),
                "/p/a": (cgroup(0, 0, usage: 50 << 20), cgroup(800_000, 3000, usage: 80 << 20)),
                "/p/b": (cgroup(0, 0, usage: 50 << 20), cgroup(400_000, 1000, usage: 20 << 20)),
            ], explainedGroups: ["/p/a": 780_000_000, "/p/b": 100_000_000])
        interval.hasGroupPressure = true
        var node = memstall_node()
        (node.kswapd_rounds, node.kcompactd_rounds, node.kcompactd_ns, node.orders.3) = (4, 2, 1_500_000, 1)
        var shrinker = memstall_shrinker()
        (shrinker.calls, shrinker.total_ns, shrinker.freed) = (3, 2_500_000, 17)
        var read = ReclaimNode(node, node: 0, at: 30).since(nil)
        read.take(rows)
        let zones = MemInfoSample.zoneinfo.replacing("pages free     1047576", with: "pages free     1100")
        interval.reclaim = MemStallReclaim(
            nodes: [read], shrinkers: [ReclaimShrinker([shrinker], function: "super_cache_scan", epoch: 0)],
            zones: ZoneInfo(zones).zones)
        return interval
    }

    @Test("memstall: every grouping, narrow and wide; the trace; the screen")
    func memstall() throws {
        var lines: [String] = []
        for grouping in MemStallRow.Grouping.allCases {
            for wide in [false, true] {
                lines.append("-- \(grouping)\(wide ? ", wide" : "")")
                lines += MemStallText(wide: wide, grouping: grouping).lines(waiting(grouping))
            }
        }
        var trace = MemStallTraceText()
        lines.append(trace.header)
        for (order, later) in [(2, 0), (-1, 1_500_000_000), (0, 100_000_000_000)] as [(Int32, UInt64)] {
            var event = try #require(Self.event(order: order))
            event.end += later
            lines.append(trace.line(event, limit: later == 0 ? CgroupPath("/a/very/long/path/to/it") : nil))
        }
        var screen = MemStallScreen(grouping: .task)
        screen.take(waiting())
        for size in [(80, 24), (40, 12)] {
            lines.append("-- screen of \(size)")
            lines += screen.lines(width: size.0, height: size.1).map(\.text)
        }
        try GoldenFile("memstall.txt").expect(lines)
    }

    @Test("meminfo: the tree, what changed, tables of processes, cgroups, files, zones, nodes")
    func meminfo() throws {
        let first = try #require(MemoryLedger(MemInfoSample.reading()))
        let changed = MemInfoSample.meminfo.replacing("VmallocUsed:       20000", with: "VmallocUsed:      120000")
            .replacing("Percpu:             4000", with: "Percpu:             3000")
        let now = try #require(MemoryLedger(MemInfoSample.reading(meminfo: changed, at: 60)))
        var lines = MemInfoText().lines(MemInfoReport(first))
        lines += MemInfoText(details: false).lines(MemInfoReport(now, before: first, first: first))
        for count in [1, 2, 9] {
            lines += MemInfoTables.lines(MemInfoSample.processes, count: count)
            lines += MemInfoTables.lines(MemInfoSample.cgroups, count: count)
            lines += MemInfoTables.lines(MemInfoSample.shared.objects, count: count)
        }
        let zones = ZoneInfo(
            MemInfoSample.zoneinfo
                + MemInfoSample.zoneinfo.replacing("Node 0", with: "Node 1")
                .replacing("pages free     1047576", with: "pages free     900"))
        lines += ZoneReport.lines(zones, pageBytes: 4096) + ZoneReport.nodeLines(zones, pageBytes: 4096)
        try GoldenFile("meminfo.txt").expect(lines)
    }

    @Test("what other tools read, to the byte", arguments: LeakFormat.allCases)
    func formats(format: LeakFormat) throws {
        let bytes = format.renderer.render(LeakFormats.profile)
        let lines: [String] =
            format == .pprof
            ? stride(from: 0, to: bytes.count, by: 32).map { start in
                bytes[start..<min(start + 32, bytes.count)].map { byte in
                    (byte < 16 ? "0" : "") + String(byte, radix: 16)
                }.joined(separator: " ")
            }
            : String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
                .map(String.init)
        try GoldenFile("format-\(format).txt").expect(lines)
    }
}
