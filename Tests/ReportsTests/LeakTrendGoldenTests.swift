// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Reports

/// Verdict, confidence, growth and survival of synthetic histories, look after look, as they are known to be right:
/// LeakVerdicts asks what they come to, these that nothing of it moves.
@Suite struct LeakTrendGolden {
    private func text(_ trend: StackTrend) -> String {
        func rate(_ rate: Rate?) -> String { rate.map { "\(fixed($0.value, 3))±\(fixed($0.error, 3))" } ?? "?" }
        let survival = trend.survival.map { $0.map { fixed($0, 3) } ?? "?" }.joined(separator: "/")
        return "\(trend.verdict) \(trend.confidence.map { fixed($0, 3) } ?? "?") \(rate(trend.growth)) B/s "
            + "\(rate(trend.growthCount)) /s \(survival)"
    }

    private func lines(
        _ shape: LeakShape, interval: Double = 5, until end: Double = 120, weight: SampleWeight = .oneIn(1),
        unmatched: @escaping (Double) -> UInt64? = { _ in 0 }
    ) -> [String] {
        var random = SplitMix(state: 1)
        var simulation = LeakSimulation([shape.blocks(until: end, &random)])
        (simulation.weight, simulation.unmatched) = (weight, unmatched)
        return stride(from: interval, through: end, by: interval).map { time in
            "\(shape) \(fixed(time, 0)) s: " + text(simulation.look(at: time)[0])
        }
    }

    @Test("each shape, looked at every five seconds")
    func shapes() throws {
        try GoldenFile("leak-trends.txt").expect(LeakShape.allCases.flatMap { lines($0) })
    }

    @Test("sampled, seldom looked at, looked at for long, with frees of what was there before")
    func others() throws {
        var all = lines(.ownLeak, weight: .oneIn(4))
        all += lines(.sessions, weight: .oneIn(4))
        all += lines(.lateLeak, interval: 20, until: 480)
        all += lines(.few, interval: 20, until: 480)
        all += lines(.evicting, interval: 30, until: 600)
        all += lines(.ownLeak, interval: 1, until: 70)
        all += lines(.ownLeak, unmatched: { time in UInt64(time) })
        all += lines(.ownLeak, unmatched: { time in UInt64(time / 2) })
        all += lines(.ownLeak, unmatched: { _ in nil })
        try GoldenFile("leak-trends-others.txt").expect(all)
    }

    /// - Parameter counts: at each fifth second; all of 100 bytes.
    private func added(_ name: String, _ counts: [UInt64]) -> [String] {
        let key = StackKey(pid: 1, id: StackID(value: 1))
        var history = LeakHistory<StackKey>(start: LeakSimulation.start, patience: 45)
        return counts.enumerated().map { index, count in
            let time = Double(index + 1) * 5
            var sum = OutstandingSum()
            (sum.bytes, sum.count) = (count * 100, count)
            let grid = history.grid(at: LeakSimulation.nanoseconds(time))
            history.take(count > 0 ? [key: sum] : [:], made: nil, unmatched: nil, grid: grid)
            return "\(name) \(fixed(time, 0)) s: " + text(history.trend(of: key))
        }
    }

    @Test("where the kernel adds up, and no ages are known")
    func withoutAges() throws {
        func series(_ count: (UInt64) -> UInt64) -> [UInt64] { (1...24).map { count(UInt64($0)) } }
        var all = added("line", series { look in look * 7 })
        all += added("slowing", series { look in min(60, 20 * look) })
        all += added("tenth", series { look in look <= 6 ? 100 * look : 600 + 7 * look })
        all += added("saw", series { look in look % 5 * 40 })
        all += added("once", series { _ in 50 })
        all += added("few", series { look in look / 9 })
        all += added("noise", series { look in 100 + look * 7919 % 13 })
        try GoldenFile("leak-trends-sums.txt").expect(all)
    }
}
