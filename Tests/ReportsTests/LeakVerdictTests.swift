// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Reports

/// Verdicts on synthetic histories whose truth is known, two minutes each, looked at every five seconds.
@Suite struct LeakVerdicts {
    static let end = 120.0
    /// A hundred were tried of each, with the same result; unit tests are to be quick.
    static let seeds: ClosedRange<UInt64> = 1...25

    /// By time.
    private func verdicts(
        _ shape: LeakShape, seed: UInt64, interval: Double = 5, until end: Double = Self.end, patience: Double = 45
    ) -> [(time: Double, trend: StackTrend)] {
        var random = SplitMix(state: seed)
        var simulation = LeakSimulation([shape.blocks(until: end, &random)], patience: patience)
        return stride(from: interval, through: end, by: interval).map { ($0, simulation.look(at: $0)[0]) }
    }

    @Test(
        "harmless ones are never called leaking, in many runs each", arguments: LeakShape.allCases.filter { !$0.leaks })
    func harmless(shape: LeakShape) {
        for seed in Self.seeds {
            let called = verdicts(shape, seed: seed).filter { $0.trend.verdict == .leaking }
            #expect(called.isEmpty, "\(shape) of seed \(seed) at \(called.map(\.time))")
        }
    }

    @Test(
        "a leak is named within a minute of its begin, and before that said to grow",
        arguments: [.slowLeak, .ownLeak, .rareLeak, .lateLeak] as [LeakShape])
    func named(shape: LeakShape) throws {
        let begin: Double = shape == .lateLeak ? 40 : 0
        var firsts: [Double] = []
        for seed in Self.seeds {
            let trends = verdicts(shape, seed: seed)
            let first = try #require(trends.first { $0.trend.verdict == .leaking }, "\(shape) of seed \(seed): never")
            firsts.append(first.time - begin)
            let grows = try #require(trends.first { $0.trend.verdict == .growing })
            #expect(grows.time < first.time)
        }
        firsts.sort()
        #expect(try #require(firsts.last) <= 60, "\(shape): \(firsts)")
    }

    @Test("what a shape is called in the end", arguments: LeakShape.allCases)
    func words(shape: LeakShape) {
        let allowed: Set<LeakVerdict> =
            switch shape {
            case .slowLeak, .ownLeak, .rareLeak, .lateLeak: [.leaking]
            case .stoppingLeak, .cache, .randomCache: [.plateau]
            case .evicting, .sessions: [.plateau, .churn]
            case .sawtooth, .churn: [.churn]
            case .oneOff: [.oneOff]
            case .few: [.tooEarly, .plateau, .oneOff]
            }
        var seen: [LeakVerdict: Int] = [:]
        for seed in Self.seeds {
            seen[verdicts(shape, seed: seed).last?.trend.verdict ?? .tooEarly, default: 0] += 1
        }
        let right = seen.filter { allowed.contains($0.key) }.values.reduce(0, +)
        #expect(right >= 24, "\(shape): \(seen)")
    }

    @Test("a leak that has stopped is not called one any more")
    func stopped() {
        for seed in Self.seeds {
            let trends = verdicts(.stoppingLeak, seed: seed)
            #expect(trends.contains { $0.time <= 65 && $0.trend.verdict == .leaking })
            #expect(!trends.contains { $0.time >= 85 && $0.trend.verdict == .leaking })
        }
    }

    @Test("whatever the interval between looks: from a tenth of a second to twenty", arguments: [0.1, 1, 20.0])
    func intervals(interval: Double) {
        for shape in LeakShape.allCases where shape != .few {
            let trends = verdicts(shape, seed: 7, interval: interval)
            let leaked = trends.contains { $0.trend.verdict == .leaking }
            #expect(leaked == shape.leaks, "\(shape) at \(interval)")
        }
    }

    @Test("one look, at the end: a leak and what has stopped are told apart")
    func single() {
        #expect(verdicts(.ownLeak, seed: 3, interval: 60, until: 60).last?.trend.verdict == .leaking)
        #expect(verdicts(.cache, seed: 3, interval: 60, until: 60).last?.trend.verdict == .plateau)
        #expect(verdicts(.oneOff, seed: 3, interval: 60, until: 60).last?.trend.verdict == .oneOff)
        #expect(verdicts(.churn, seed: 3, interval: 60, until: 60).last?.trend.verdict == .churn)
    }

    @Test("growth is right within its error: two leaks of different rates")
    func rates() throws {
        var within = 0
        for seed in Self.seeds {
            var random = SplitMix(state: seed)
            let slow = LeakShape.ownLeak.blocks(until: 60, &random)
            let fast = LeakShape.evicting.blocks(until: 60, &random).map { LeakShapeBlock(born: $0.born, bytes: 1000) }
            var simulation = LeakSimulation([slow, fast])
            var last: [StackTrend] = []
            for time in stride(from: 5.0, through: 60, by: 5) { last = simulation.look(at: time) }
            #expect(last.allSatisfy { $0.verdict == .leaking })
            for (trend, truth) in zip(last, [112.0, 20_000]) {
                let growth = try #require(trend.growth)
                if abs(growth.value - truth) <= 2 * growth.error { within += 1 }
                #expect(abs(growth.value - truth) <= 5 * growth.error)
                #expect(growth.error < truth / 3)
                let count = try #require(trend.growthCount)
                let size = truth / growth.value * growth.error / count.error
                #expect(size > 0)
            }
        }
        // 95 of a hundred lie within two standard errors
        #expect(within >= 42, "\(within) of 50")
    }

    @Test("what survives: of a leak on a stack of its own all, of one in a hundred a hundredth, of churn nothing")
    func survival() throws {
        let own = try #require(verdicts(.ownLeak, seed: 1).last?.trend.survival)
        #expect(own == [1, 1, nil])
        let noisy = try #require(verdicts(.slowLeak, seed: 1).last?.trend.survival)
        let share = try #require(noisy[1])
        #expect(abs(share - 0.01) < 0.005, "\(share)")
        let churn = try #require(verdicts(.churn, seed: 1).last?.trend.survival)
        #expect(try #require(churn[0]) < 0.001)
        let evicting = try #require(verdicts(.evicting, seed: 1).last?.trend.survival)
        #expect(try #require(evicting[0]) > 0.5)
        #expect(evicting[1] == 0)
        let early = try #require(verdicts(.ownLeak, seed: 1).first?.trend.survival)
        #expect(early == [nil, nil, nil])
    }

    @Test("a cache that renews what was there before the start is no leak: as much is freed that was not seen made")
    func renewing() {
        var random = SplitMix(state: 5)
        let blocks = LeakShape.evicting.blocks(until: 120, &random).map {
            LeakShapeBlock(born: $0.born, dies: $0.born + 600)
        }
        var renewing = LeakSimulation([blocks])
        renewing.unmatched = { UInt64($0 * 20) }
        var unknown = LeakSimulation([blocks])
        for time in stride(from: 5.0, through: 120, by: 5) {
            #expect(renewing.look(at: time)[0].verdict != .leaking)
            _ = unknown.look(at: time)
        }
        #expect(renewing.look(at: 121)[0].verdict == .growing)
        // nothing was freed: it can't be told from a leak
        #expect(unknown.look(at: 121)[0].verdict == .leaking)
    }

    @Test("too early to tell for a third of the patience, whatever it is; a shorter patience tells sooner")
    func early() {
        for shape in LeakShape.allCases {
            #expect(verdicts(shape, seed: 1).prefix(2).allSatisfy { $0.trend.verdict == .tooEarly }, "\(shape)")
        }
        let soon = verdicts(.cache, seed: 1, interval: 1, patience: 9)
        #expect(soon.first { $0.trend.verdict == .leaking }?.time == 9)
    }

    @Test("sampled allocations: the weight is not taken for blocks")
    func sampled() {
        var random = SplitMix(state: 9)
        var simulation = LeakSimulation([LeakShape.ownLeak.blocks(until: 100, &random)])
        simulation.weight = .oneIn(100)
        simulation.unmatched = { _ in nil }
        var trends: [StackTrend] = []
        for time in stride(from: 5.0, through: 100, by: 5) { trends.append(simulation.look(at: time)[0]) }
        let growth = trends[19].growthCount
        #expect(trends[19].verdict == .leaking)
        #expect(abs((growth?.value ?? 0) - 200) < 80 && (growth?.error ?? 0) > 15)
    }

    @Test("a stack nobody has seen, an empty history")
    func nothing() {
        let history = LeakHistory<StackKey>(start: 0, patience: 45)
        #expect(history.trend(of: StackKey(pid: 1, id: StackID(nil, by: .function))).verdict == .tooEarly)
        #expect(history.watch == 0)
    }
}
