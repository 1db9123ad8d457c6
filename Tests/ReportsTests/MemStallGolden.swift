// SPDX-License-Identifier: Apache-2.0

@testable import Reports

extension GoldenRecord {
    private static var memstallLines: [JSONLine] {
        [true, false].flatMap { isKnown in
            var counters = MemStallCounters()
            (counters.count, counters.stalledNanoseconds, counters.psiNanoseconds) = (12, 900_000_000, 800_000_000)
            (counters.offCPUNanoseconds, counters.longestNanoseconds) = (5000, 70000)
            (counters.reclaimedPages, counters.comm) = (32, "app")
            let row = MemStallRow(
                pid: isKnown ? 7 : nil, tid: isKnown ? 9 : nil, comm: isKnown ? "app\u{1b}" : nil,
                cgroup: isKnown ? CgroupPath("/a/b") : nil, cause: .memcgHigh,
                limitCgroup: isKnown ? CgroupPath("/a") : nil, counters: counters)
            return MemStallJSON.lines(
                MemStallInterval(
                    time: time, intervalNanoseconds: 1_000_000_000, rows: [row],
                    pressure: isKnown ? MemoryPressure(some: 800_000_000, full: 1000) : nil,
                    explained: isKnown ? 600_000_000 : nil,
                    vmstat: ReclaimVMStat(
                        vmstat: isKnown
                            ? "pgscan_kswapd 1\npgsteal_kswapd 2\npgscan_direct 3\npgsteal_direct 4\n"
                                + "workingset_refault_anon 5\nworkingset_refault_file 6\ncompact_stall 7\noom_kill 8\n"
                            : ""),
                    histograms: isKnown ? [.memcgHigh: Log2Histogram(counts: [0, 12])] : nil,
                    losses: Losses(counts: [0, 5])))
        }
    }

    static let memstall = GoldenRecord(type: "memstall") {
        memstallLines.filter { !$0.text().contains("memstall_interval") }
    }
    static let memstallInterval = GoldenRecord(type: "memstall_interval") {
        memstallLines.filter { $0.text().contains("memstall_interval") }
    }
    static let memstallEvent = GoldenRecord(type: "memstall_event") {
        [Int32(2), -1].compactMap { order in
            MemStallTests.event(order: order).map {
                let path = order < 0 ? nil : CgroupPath("/a")
                return MemStallJSON.line($0, time: time, cgroup: path, limitCgroup: path)
            }
        }
    }
    static let memstallSummary = GoldenRecord(type: "memstall_summary") {
        [MemStallJSON.summary(time: time, stalls: 23, losses: Losses(counts: [0, 5]))]
    }
}
