// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

/// The page about a kill, line by line, and the choices behind it at their edges.
@Suite struct OOMPages {
    typealias Samples = OOMRecordSamples
    private let MB = OOMRecordSamples.MB

    private func words(_ line: String) -> [String] { line.split(separator: " ").map(String.init) }

    @Test("a cgroup's kill: what ran out, who grew, why this one")
    func page() throws {
        let explanation = try #require(Samples.explanations().first)
        let page = OOMKillText.page(explanation)
        #expect(page[0] == "OOM kill of PID 20 (\"leak\"), \(explanation.victim.time.rfc3339)" && page[1] == "")
        #expect(page[2...4] == ["WHAT RAN OUT", "  memory cgroup /box", "  200.0 MB, 200.0 MB used"])
        #expect(page[5].hasPrefix("  asked for by PID 20 (\"\"): 1 page, "))
        #expect(page[6...7] == ["  no swap", "  tasks waited for memory 10 % of the minute before (PSI some)"])
        #expect(page[8].hasPrefix("  used: ▅▅▆▆▆▇▇▇▇███ 110.0 to 200.0 MB in 1"))
        #expect(page[9...11] == ["  last look at all processes: 0.5 s before the kill", "", "WHO GREW"])
        #expect(words(page[12]) == ["COMM", "PID", "MB/S", "NOW_MB", "SINCE", "UNTIL"])
        let grower = try #require(explanation.growers.first)
        #expect(words(page[13]) == ["leak", "20", "8.00", "94.0", grower.since.clockTime, "the", "kill"])
        #expect(page[14...15] == ["", "WHY THIS ONE: its pages, and what oom_score_adj adds; the most is killed"])
        #expect(words(page[16]) == ["COMM", "PID", "POINTS", "BY_ADJ", "ADJ"])
        #expect(words(page[17]) == [">", "leak", "20", "24064", "0", "0"])
        #expect(words(page[18]) == ["db", "21", "100", "\(explanation.candidates[1].adjustmentPoints)", "-500"])
        #expect(explanation.candidates[1].adjustmentPoints < 0)
        #expect(page[19...20] == ["", "NEXT"] && page[21].hasPrefix("  process 20 (leak)"))
    }

    @Test("nothing recorded: nothing grew, nothing was used")
    func nothing() throws {
        let explanation = try #require(Samples.explanations().dropFirst().first)
        let page = OOMKillText.page(explanation)
        #expect(!page.contains("WHO GREW") && !page.contains { $0.contains("used:") || $0.contains("last look") })
        #expect(page.contains("  200.0 MB, 200.0 MB used"))
        #expect(page.contains { words($0) == [">", "leak", "20", "24064", "0", "0"] })
    }

    @Test("eight rows of each, and how many more there are", arguments: [8, 9, 11])
    func rows(count: Int) {
        var samples: [OOMSample] = []
        for second in 0...10 {
            var processes: [OOMProcess] = []
            for number in 1...count {
                let held = UInt64(second * number + 20) * MB
                processes.append(Samples.process(UInt32(number), "p\(number)", held))
            }
            samples.append(Samples.sample(Int64(second), processes, usage: 100 * MB))
        }
        let page = OOMKillText.page(OOMExplanation(Samples.victim(1, "p1", 30 * MB, at: 10.2), samples: samples))
        let names = page.filter { line in
            let words = words(line)
            let name = words.first == ">" ? words.dropFirst().first : words.first
            return name?.first == "p" && name.flatMap { Int($0.dropFirst()) } != nil
        }
        #expect(names.count == 16)
        #expect(page.contains("  and \(count - 8) with less") == (count > 8))
    }

    private func grow(_ megabytes: [Double]) -> OOMGrower? {
        OOMGrower.growth(
            megabytes.enumerated().map { second, held in
                OOMGrower.Point(
                    time: WallTime(nanoseconds: Int64(second) * 1_000_000_000), bytes: UInt64(held * 1_048_576))
            })
    }

    @Test("a growth of a MiB is one; a rest of five seconds does not end it, one of six does")
    func edges() throws {
        #expect(grow([1, 2])?.grownBytes == MB && grow([1, 1.99]) == nil)
        func series(_ last: Int, _ held: (Int) -> Int) -> [Double] { (0...last).map { Double(held($0)) } }
        #expect(grow(series(15) { second in 5 * min(10, second) })?.until == nil)
        let ended = grow(series(16) { second in 5 * min(10, second) })
        #expect(ended?.until == WallTime(nanoseconds: 10_000_000_000))
        // a rest in the middle
        let five = try #require(grow(series(25) { second in 2 * (second <= 10 ? second : max(10, second - 5)) }))
        #expect(five.since.nanoseconds == 0 && five.grownBytes == 40 * MB)
        let six = try #require(grow(series(26) { second in 2 * (second <= 10 ? second : max(10, second - 6)) }))
        #expect(six.since.nanoseconds == 16_000_000_000 && six.grownBytes == 20 * MB)
    }

    @Test("the last half minute's growth, and the whole")
    func recent() throws {
        let half = try #require(grow((0...30).map { Double($0) }))
        #expect(half.recentBytes == 30 * MB && half.grownBytes == 30 * MB && half.bytes == 30 * MB)
        let more = try #require(grow((0...45).map { Double($0) }))
        #expect(more.recentBytes == 30 * MB && more.grownBytes == 45 * MB && more.bytesPerSecond == 1_048_576)
    }

    @Test("recorded: the largest by points of the machine, of each limit, and what grows; in order of size")
    func selection() {
        var selection = OOMSelection()
        // fifty processes without a limit, ten more that are never chosen
        let plain = (1...50).map { Samples.process(UInt32($0), "p", UInt64($0) * MB, cgroup: 1) }
        let never = (51...60).map { Samples.process(UInt32($0), "n", UInt64($0) * MB, adj: -1000, cgroup: 1) }
        let limited = (61...80).map { Samples.process(UInt32($0), "c", UInt64($0 - 60) * 4096, cgroup: 9) }
        let all = plain + never + limited
        let first = selection.choose(all, limited: [[9, 10]], totalPages: 1 << 20, pageBytes: 4096)
        // 32 of the machine, 16 of the limit
        func pids(_ range: ClosedRange<UInt32>) -> [UInt32] { range.reversed() }
        #expect(first.map(\.pid) == pids(19...50) + pids(65...80))
        // grown: a page each, one of them new under its number
        var next = all
        next[0].residentBytes += 4096
        next[1].residentBytes += 8192
        next[2] = Samples.process(3, "p", 4 * MB, cgroup: 1, start: 6)
        let second = selection.choose(next, limited: [], totalPages: 1 << 20, pageBytes: 4096)
        #expect(second.map(\.pid) == pids(19...50) + [2, 1])
    }
}
