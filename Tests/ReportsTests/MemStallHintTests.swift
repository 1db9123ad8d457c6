// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

/// What an interval means: hints, a livelock, who is to blame.
@Suite struct MemStallHintTests: MemStallSamples {
    @Test("hints: by the numbers, gravest first; none where nobody waits to speak of")
    func hints() throws {
        func texts(_ rows: MemStallRow...) -> [String] { interval(rows).hints.map(\.text) }
        func starts(_ rows: MemStallRow..., with text: String) -> Bool {
            let hints = interval(rows).hints
            return hints.count == 1 && hints[0].text.hasPrefix(text)
        }
        #expect(texts(row(.memcgMax, milliseconds: 49, limit: "/a")).isEmpty)
        #expect(texts(row(.kswapd, milliseconds: 900)).isEmpty)
        // many tasks that stall a little each: no livelock
        let many = (0..<10).map { row(.memcgMax, tid: $0, milliseconds: 100, pages: 1, limit: "/a") }
        #expect(
            interval(many).hints.map(\.text) == [
                "100 % is memcg_max at the limit of /a: what runs there needs more than it may have"
            ])
        #expect(
            starts(
                row(.memcgMax, milliseconds: 900, pages: 90000, limit: "/a"), with: "100 % is memcg_max at the limit"))
        #expect(starts(row(.directReclaim, milliseconds: 60), with: "100 % is direct reclaim"))
        #expect(starts(row(.compaction, milliseconds: 60), with: "100 % is compaction"))
        #expect(starts(row(.swapin, milliseconds: 60), with: "100 % is swapin"))
        #expect(starts(row(.dirtyThrottle, milliseconds: 60), with: "100 % is dirty_throttle"))
        #expect(texts(row(.refault, milliseconds: 40), row(.oom, milliseconds: 60)).isEmpty)
    }

    @Test("a livelock: it waits most of the time, wins little or what it reads back at once, and nobody is killed")
    func livelock() throws {
        func verdict(
            pages: UInt64, milliseconds: UInt64 = 900, kills: Int = 0, refaulted: Int? = nil, full: Int = 0
        ) -> (text: String, livelock: Bool) {
            let zero = files([
                "memory.high": "41943040\n", "memory.max": "max\n", "memory.events": "high 1\noom_kill 3\n",
                "memory.stat": "workingset_refault_anon 5\nworkingset_refault_file 1\n",
                "memory.pressure": "some total=0\nfull total=0\n",
            ])
            let now = files([
                "memory.high": "41943040\n", "memory.max": "max\n", "memory.events": "high 9\noom_kill \(3 + kills)\n",
                "memory.stat": refaulted.map { "workingset_refault_anon \(5 + $0)\nworkingset_refault_file 1\n" } ?? "",
                "memory.pressure": "some total=\(full)\nfull total=\(full)\n",
            ])
            let interval = interval(
                [row(.memcgHigh, milliseconds: milliseconds, pages: pages, limit: "/kubepods/a")],
                files: ["/kubepods/a": (zero, now)])
            return (interval.hints.first?.text ?? "", interval.culprits.first?.limit.thrashes ?? false)
        }
        let one = verdict(pages: 66)
        #expect(
            one.livelock
                && one.text
                    == "reclaims 0.3 MB per second stalled at memory.high of /kubepods/a (40 MB); waits 90 % of the "
                    + "time: it thrashes and will not be killed; raise memory.high, or let it OOM by memory.max"
        )
        #expect(!verdict(pages: 66, kills: 1).livelock)
        #expect(!verdict(pages: 66, milliseconds: 400).livelock)
        // no task alone waits that long, but all together do
        #expect(verdict(pages: 30, milliseconds: 400, full: 700_000).livelock)
        #expect(!verdict(pages: 50000).livelock && !verdict(pages: 50000, refaulted: 20000).livelock)
        let back = verdict(pages: 50000, refaulted: 49000)
        #expect(back.livelock && back.text.contains("227.6 MB per second") && back.text.contains("and reads 98 % back"))
        // nothing is known of the limit's cgroup
        let unknown = interval([row(.memcgMax, milliseconds: 900, limit: "/b")])
        #expect(unknown.culprits[0].limit.thrashes && unknown.culprits[0].limit.limitBytes == nil)
        #expect(unknown.hints[0].text.hasPrefix("reclaims 0.0 MB per second stalled at the limit of /b; waits 90 %"))
        // the machine's shortage is no cgroup's livelock
        #expect(!interval([row(.directReclaim, milliseconds: 900)]).culprits[0].limit.thrashes)
    }

    @Test("who is to blame: at each limit who freed most first, with what it grew by")
    func culprits() throws {
        func usage(_ bytes: Int) -> StallCgroupFiles { files(["memory.current": "\(bytes)\n"]) }
        let rows = [
            row(.memcgMax, tid: 1, milliseconds: 500, pages: 100, limit: "/p", cgroup: "/p/victim"),
            row(.memcgMax, tid: 2, milliseconds: 200, pages: 900, limit: "/p", cgroup: "/p/hog"),
            row(.memcgMax, tid: 3, milliseconds: 100, pages: 1000, limit: "/p", cgroup: "/p/hog"),
            row(.directReclaim, tid: 4, milliseconds: 30, pages: 0, cgroup: "/x"),
        ]
        let interval = interval(rows, files: ["/p/hog": (usage(1000), usage(5000)), "/p/victim": (usage(9), usage(4))])
        #expect(interval.culprits.map(\.cgroup?.path) == ["/p/hog", "/p/victim", "/x"])
        #expect(interval.culprits.map(\.tasks) == [2, 1, 1] && interval.culprits[0].reclaimedShare == 0.95)
        #expect(interval.culprits.map(\.grownBytes) == [4000, -5, nil] && interval.culprits[2].reclaimedShare == nil)
        #expect(interval.culprits[0].limit.stalledNanoseconds == 800_000_000)
        #expect(interval.hints.last?.text == "/p/hog asks for 95 % of what is freed at the limit of /p")
        let lines = MemStallText().lines(interval)
        #expect(lines.contains("WHO ALLOCATES        TASKS STALL_MS    FREED    SHARE  GREW_MB LIMIT"))
        #expect(lines.contains("/p/hog                   2    300.0     1900     95 %      0.0 /p"))
        #expect(lines.contains("/x                       1     30.0        0        -        - the machine"))
    }
}
