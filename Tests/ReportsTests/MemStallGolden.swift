// SPDX-License-Identifier: Apache-2.0

import TraceRecords

@testable import Reports

extension GoldenRecord {
    private static var memstallLines: [JSONLine] {
        [true, false].flatMap { isKnown in
            var counters = MemStallCounters()
            (counters.count, counters.stalledNanoseconds, counters.psiNanoseconds) = (12, 900_000_000, 800_000_000)
            (counters.offCPUNanoseconds, counters.longestNanoseconds) = (5000, 70000)
            (counters.reclaimedPages, counters.comm) = (32, "app")
            var row = MemStallRow(
                pid: isKnown ? 7 : nil, tid: isKnown ? 9 : nil, comm: isKnown ? "app\u{1b}" : nil,
                cgroup: isKnown ? CgroupPath("/a/b") : nil, cause: .memcgHigh,
                limitCgroup: isKnown ? CgroupPath("/a") : nil, counters: counters)
            let frame = MemLeakFrame(
                address: 0x5555, symbol: "touch", offset: 4, module: "/bin/app", moduleOffset: 0x1555, buildID: "ab12")
            row.stacks = [
                MemStallStack(
                    kernel: isKnown ? [MemLeakFrame(address: 0xffff_ffff_8100_0000, module: "kernel")] : nil,
                    user: isKnown ? [frame] : nil, end: isKnown ? .whole : nil, counters: counters)
            ]
            var interval = MemStallInterval(
                time: time, intervalNanoseconds: 1_000_000_000, rows: [row],
                pressure: isKnown ? MemoryPressure(some: 800_000_000, full: 1000) : nil,
                explained: isKnown ? 600_000_000 : nil,
                vmstat: ReclaimVMStat(
                    vmstat: isKnown
                        ? "pgscan_kswapd 1\npgsteal_kswapd 2\npgscan_direct 3\npgsteal_direct 4\n"
                            + "workingset_refault_anon 5\nworkingset_refault_file 6\ncompact_stall 7\noom_kill 8\n"
                        : ""),
                histograms: isKnown ? [.memcgHigh: Log2Histogram(counts: [0, 12])] : nil,
                losses: Losses(counts: [0, 5]))
            let before = StallCgroupFiles.begun
            var now = before
            (now.pressure, now.usageBytes) = (MemoryPressure(some: 700_000_000, full: 600_000_000), 8_000_000)
            (now.highBytes, now.oomKills, now.refaultedPages) = (9_000_000, 0, 31)
            interval.judge(
                tasks: [row], before: isKnown ? [CgroupPath("/a/b"): before, CgroupPath("/a"): before] : [:],
                now: isKnown ? [CgroupPath("/a/b"): now, CgroupPath("/a"): now] : [:],
                explained: [CgroupPath("/a/b"): 650_000_000], pageSize: 4096)
            var eviction = MemStallEviction(
                evictor: isKnown ? CgroupPath("/a/b") : nil, owner: isKnown ? CgroupPath("/a/c") : nil,
                cause: .memcgMax, limit: isKnown ? CgroupPath("/a") : nil,
                pages: EvictedPages(anonymous: 40, file: 50, unknown: 6))
            if isKnown { (eviction.refaultedAnonymous, eviction.refaultedFile) = (7, 8) }
            interval.evictions = [eviction]
            var node = memstall_node()
            (node.kswapd_rounds, node.kcompactd_rounds, node.orders.3) = (4, 2, 1)
            var shrinker = memstall_shrinker()
            (shrinker.calls, shrinker.total_ns, shrinker.freed) = (3, 90, 7)
            (shrinker.epoch.0, shrinker.longest_ns.0) = (2, 60)
            var read = ReclaimNode(node, node: 1, at: 30).since(nil)
            if isKnown { read.take([]) }
            let cache = ReclaimShrinker([shrinker, shrinker], function: "super_cache_scan", epoch: 2)
            let zones = ZoneInfo(
                "Node 1, zone   Normal\n  pages free     50\n        min      10\n        low      40\n"
                    + "        high     60\n        managed  900\n"
            ).zones
            interval.reclaim = MemStallReclaim(
                nodes: [read], shrinkers: isKnown ? [cache] : nil, zones: isKnown ? zones : [])
            return MemStallJSON.lines(interval)
        }
    }

    static let memstall = GoldenRecord(type: "memstall") {
        memstallLines.filter { $0.text().contains(#""type":"memstall""#) }
    }
    static let memstallCgroup = GoldenRecord(type: "memstall_cgroup") {
        memstallLines.filter { $0.text().contains("memstall_cgroup") }
    }
    static let memstallCulprit = GoldenRecord(type: "memstall_culprit") {
        memstallLines.filter { $0.text().contains("memstall_culprit") }
    }
    static let memstallEviction = GoldenRecord(type: "memstall_eviction") {
        memstallLines.filter { $0.text().contains("memstall_eviction") }
    }
    static let memstallInterval = GoldenRecord(type: "memstall_interval") {
        memstallLines.filter { $0.text().contains("memstall_interval") }
    }
    static let memstallReclaim = GoldenRecord(type: "memstall_reclaim") {
        memstallLines.filter { $0.text().contains("memstall_reclaim") }
    }
    static let memstallEvent = GoldenRecord(type: "memstall_event") {
        [Int32(2), -1].compactMap { order in
            MemStallTextTests.event(order: order).map {
                let path = order < 0 ? nil : CgroupPath("/a")
                return MemStallJSON.line($0, time: time, cgroup: path, limitCgroup: path)
            }
        }
    }
    static let memstallSummary = GoldenRecord(type: "memstall_summary") {
        [MemStallJSON.summary(time: time, stalls: 23, losses: Losses(counts: [0, 5]))]
    }
}
