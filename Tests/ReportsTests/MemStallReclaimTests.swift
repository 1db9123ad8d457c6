// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

/// The other side: who frees memory, and how much the zones have.
@Suite struct MemStallReclaimTests: MemStallSamples {
    @Test(
        "the other side: what was added, what goes on, the longest of the interval; zones that have enough are silent")
    func otherSide() {
        var record = memstall_node()
        (record.kswapd_rounds, record.kcompactd_since_ns) = (3, 40)
        (record.orders.0, record.orders.9) = (2, 1)
        let before = ReclaimNode(record, node: 2, at: 50)
        #expect(before.kswapdNanoseconds == nil && before.kcompactdNanoseconds == 10)
        record.kswapd_rounds = 5
        record.orders.0 = 4
        var after = ReclaimNode(record, node: 2, at: 90).since(before)
        after.take([
            row(.kswapd, milliseconds: 7, comm: "kswapd2"), row(.kswapd, milliseconds: 9, comm: "kswapd22"),
            row(.other, milliseconds: 9, comm: "kswapd2"),
        ])
        #expect(after.kswapdRounds == 2 && after.kswapdNanoseconds == 7_000_000 && after.kcompactdNanoseconds == 40)
        #expect(after.order == 0 && before.since(before).order == nil && before.since(nil).order == 9)
        var shrinker = memstall_shrinker()
        (shrinker.calls, shrinker.total_ns, shrinker.longest_ns, shrinker.epoch) = (
            2, 2_000_000, (0, 1_500_000), (0, 3)
        )
        let one = ReclaimShrinker([shrinker], function: "a", epoch: 3)
        #expect(one.longestNanoseconds == 1_500_000 && one.since(one).calls == 0)
        let zones = ZoneInfo(
            """
            Node 0, zone   DMA
              pages free     90
                    min      10
                    low      40
                    high     60
                    managed  900
            Node 0, zone   Normal
              pages free     5
                    min      10
                    low      40
                    high     60
                    managed  900
            """
        ).zones
        let reclaim = MemStallReclaim(
            nodes: [after, after.since(after)], shrinkers: [one, one.since(one)], zones: zones)
        #expect(
            reclaim.lines() == [
                "kswapd2: 2 rounds, at work 7.0 ms", "kcompactd2: 0 rounds, at work 0.0 ms",
                "shrinker a: 2 calls, 2.0 ms, longest 1.5 ms, freed 0",
                "zone Normal of node 0: 5 pages free, below min (min 10, low 40, high 60)",
            ])
        let vmstat = ReclaimVMStat(vmstat: "pgscan_kswapd 3\npgsteal_kswapd 1\npgscan_direct 1\npgsteal_direct 1\n")
        #expect(vmstat.efficiency == 0.5 && ReclaimVMStat(vmstat: "pgscan_kswapd 3\n").efficiency == nil)
    }
    @Test("threads whose programs are not there are unknown, not idle; the rest of the node is shown")
    func unseen() {
        var record = memstall_node()
        (record.kswapd_rounds, record.kcompactd_rounds, record.kcompactd_ns, record.orders.2) = (3, 5, 7, 1)
        func node(kswapd: Bool, kcompactd: Bool) -> ReclaimNode {
            var node = ReclaimNode(record, node: 0, at: 9, seesKswapd: kswapd, seesKcompactd: kcompactd).since(nil)
            node.take([row(.kswapd, milliseconds: 7, comm: "kswapd0")])
            return node
        }
        let both = node(kswapd: true, kcompactd: true)
        #expect(both.kswapdRounds == 3 && both.kswapdNanoseconds == 7_000_000 && both.order == 2)
        #expect(both.kcompactdRounds == 5 && both.kcompactdNanoseconds == 7)
        let compaction = node(kswapd: false, kcompactd: true)
        #expect(compaction.kswapdRounds == nil && compaction.kswapdNanoseconds == nil && compaction.order == nil)
        let kswapd = node(kswapd: true, kcompactd: false)
        #expect(kswapd.kcompactdRounds == nil && kswapd.kcompactdNanoseconds == nil && kswapd.kswapdRounds == 3)
        func lines(_ nodes: ReclaimNode...) -> [String] {
            MemStallReclaim(nodes: nodes, shrinkers: nil, zones: []).lines()
        }
        // a round that began with the machine, one that begins now, one that never did
        record.kcompactd_since_ns = 1
        #expect(ReclaimNode(record, node: 0, at: 9).kcompactdNanoseconds == 15)
        record.kcompactd_since_ns = 9
        #expect(ReclaimNode(record, node: 0, at: 9).kcompactdNanoseconds == 7)
        #expect(ReclaimNode(record, node: 0, at: 8).kcompactdNanoseconds == 7)
        record.kcompactd_since_ns = 0
        #expect(ReclaimNode(record, node: 0, at: 9).kcompactdNanoseconds == 7)
        #expect(lines(compaction) == ["kcompactd0: 5 rounds, at work 0.0 ms"])
        #expect(lines(kswapd) == ["kswapd0: 3 rounds, at work 7.0 ms, order up to 2"])
        let neither = node(kswapd: false, kcompactd: false)
        #expect(lines(neither).isEmpty)
        #expect(MemStallReclaim(nodes: [neither, kswapd], shrinkers: nil, zones: []).nodes == [kswapd])
    }
}
