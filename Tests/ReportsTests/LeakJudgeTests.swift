// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

/// From where on a verdict is given. The patience is 9 s, so that a bin is a second: `counts[5]` are five seconds old.
@Suite struct LeakJudges {
    private struct Stack {
        /// Settled allocations by age, in seconds.
        var counts: [Int: Double] = [:]
        /// How many of those that were born within the patience are left; nil: all.
        var settled: Double?
        var watch = 10.0
        var mayLeak = true
        var survival: [Double?] = []
        var unmatched: UInt64? = 0
        var wasLeaking = false
        /// Seconds between births: their standard deviation.
        var spread = 9.0
        /// Recorded ones to allocations.
        var share = 1.0
        var count: UInt64?
        var oldest: Double?

        init(_ counts: [Int: Double]) { self.counts = counts }

        /// In the quarters of the patience, oldest first.
        init(quarters: [Double]) { counts = [7: quarters[0], 5: quarters[1], 3: quarters[2], 1: quarters[3]] }

        var trend: StackTrend {
            var profile = AgeProfile()
            for (age, count) in counts { profile.counts[age] = count }
            let total = counts.values.reduce(0, +)
            profile.settled = settled ?? total - profile.counts[0]
            let allocations = count ?? UInt64(total.rounded())
            profile.recorded = Double(allocations) * share
            profile.squares = profile.recorded * 100
            // two halves, as far from their mean
            profile.births = 0
            profile.birthSquares = profile.recorded * spread * spread
            let now = UInt64(100e9)
            profile.oldest = now - UInt64((oldest ?? Double(counts.keys.max() ?? 0)) * 1e9)
            var sum = OutstandingSum()
            (sum.count, sum.bytes, sum.ages) = (allocations, allocations * 10, profile)
            var track = LeakTrack()
            track.isLeaking = wasLeaking
            return LeakJudge(
                start: now - UInt64(watch * 1e9), grid: AgeGrid(now: now, width: 1_000_000_000), patience: 9,
                track: track, sum: sum, mayLeak: mayLeak, survival: survival, unmatched: { _ in unmatched }
            ).trend
        }

        var leaks: Bool { trend.verdict == .leaking }

        func with(_ change: (inout Stack) -> Void) -> Stack {
            var other = self
            change(&other)
            return other
        }
    }

    private func quarters(_ counts: Double...) -> Stack { Stack(quarters: counts) }

    @Test("a leak: ten births, some in each quarter, in none more than six tenths")
    func births() {
        #expect(quarters(2, 3, 3, 2).leaks && !quarters(2, 3, 2, 2).leaks)
        #expect(quarters(4, 1, 4, 3).leaks && !quarters(4, 0.9, 4, 3).leaks && !quarters(4, 0, 4, 4).leaks)
        #expect(quarters(2, 2, 12, 4).leaks && !quarters(2, 2, 13, 3).leaks)
    }

    @Test("what slows down will stop: the later half, the last quarter")
    func slowing() {
        #expect(quarters(5, 5, 3, 3).leaks && !quarters(6, 5, 3, 3).leaks)
        #expect(quarters(6, 5, 7, 2).leaks && !quarters(6, 5, 8, 1).leaks)
        // fewer by more than chance has it
        #expect(quarters(43.5, 43.45, 28.55, 28.5).leaks && !quarters(43.5, 43.5, 28.5, 28.5).leaks)
        // eight tenths are no slowing, of however many
        #expect(quarters(500, 500, 400, 400).leaks && !quarters(500, 500, 400, 399).leaks)
    }

    @Test("more before than three times as much: what filled up then is no leak now")
    func before() {
        func stack(_ earlier: Double) -> Stack { Stack([7: 5, 5: 5, 3: 5, 1: 5, 10: earlier]) }
        #expect(stack(60).leaks && !stack(61).leaks)
        // the nine bins behind, and none farther
        #expect(!Stack([7: 5, 5: 5, 3: 5, 1: 5, 17: 61]).leaks && Stack([7: 5, 5: 5, 3: 5, 1: 5, 18: 61]).leaks)
        #expect(!Stack([7: 5, 5: 5, 3: 5, 1: 5, 9: 61]).leaks)
    }

    @Test("seven tenths of it are left, and more than chance has it")
    func net() {
        let stack = quarters(10, 10, 10, 10)
        #expect(stack.with { $0.settled = 28 }.leaks && !stack.with { $0.settled = 27.9 }.leaks)
        // one that leaked at the last look: three standard errors are enough
        let few = Stack([1: 9]).with { $0.wasLeaking = true }
        #expect(few.leaks && !Stack([1: 8]).with { $0.wasLeaking = true }.leaks && !Stack([1: 9]).leaks)
    }

    @Test("as much is freed of what was there before: half of it is a cache that renews itself")
    func renewing() {
        let stack = quarters(5, 5, 5, 5)
        #expect(stack.with { $0.unmatched = 9 }.leaks && !stack.with { $0.unmatched = 10 }.leaks)
        #expect(stack.with { $0.unmatched = nil }.leaks && !stack.with { $0.mayLeak = false }.leaks)
    }

    @Test("it has to be watched for the patience, but for a tenth of a bin; the longer, the surer")
    func watched() {
        let stack = quarters(5, 5, 5, 5)
        #expect(stack.with { $0.watch = 8.91 }.leaks && !stack.with { $0.watch = 8.89 }.leaks)
        #expect(stack.trend.confidence == 0.75)
        // over twice as long: quarters of four bins each
        let slow = Stack([14: 5, 10: 5, 6: 5, 2: 5])
        #expect(slow.with { $0.watch = 17 }.trend.confidence == 0.868)
        #expect(slow.with { $0.watch = 16.8 }.trend.verdict != .leaking)
    }

    @Test("too early before a third of the patience")
    func early() {
        let stack = Stack([1: 30]).with { $0.mayLeak = false }
        #expect(stack.with { $0.watch = 2.99 }.trend.verdict == .tooEarly)
        #expect(stack.with { $0.watch = 3 }.trend.verdict != .tooEarly)
    }

    @Test("quiet for a third of the patience: a plateau, or a one-off where all came at once")
    func quiet() {
        let stack = Stack([3: 50, 5: 50])
        #expect(stack.trend.verdict == .plateau && stack.trend.confidence == 0.5)
        #expect(stack.with { $0.spread = 0.2 }.trend.verdict == .oneOff)
        #expect(stack.with { $0.spread = 0.21 }.trend.verdict == .plateau)
        // a fiftieth may be younger
        #expect(Stack([0: 2, 3: 98]).trend.verdict == .plateau)
        #expect(Stack([0: 3, 3: 97]).trend.verdict != .plateau)
        #expect(Stack([2: 100]).trend.verdict != .plateau)
        #expect(Stack([6: 100]).trend.confidence == 0.667)
    }

    @Test("growing: by three standard errors, half of what was born, within what was watched")
    func growing() {
        let stack = Stack([1: 100]).with { $0.mayLeak = false }
        #expect(stack.trend.verdict == .growing && stack.trend.confidence == 1)
        #expect(stack.with { $0.settled = 50 }.trend.verdict == .growing)
        #expect(stack.with { $0.settled = 49.9 }.trend.verdict != .growing)
        let few = Stack([1: 9]).with { $0.mayLeak = false }
        #expect(few.trend.verdict == .growing && few.trend.confidence == 0.999)
        #expect(Stack([1: 8]).with { $0.mayLeak = false }.trend.verdict != .growing)
        // watched for four seconds, births of the three bins behind the newest count
        let short = Stack([0: 5, 4: 9, 2: 1]).with { ($0.mayLeak, $0.watch) = (false, 4) }
        #expect(short.trend.verdict == .growing)
        #expect(
            short.with {
                $0.counts[3] = 20; $0.settled = 9
            }.trend.verdict != .growing)
    }

    @Test("churn: fewer than a tenth survive the first age")
    func churn() {
        let stack = Stack([0: 90, 1: 5]).with { ($0.mayLeak, $0.survival) = (false, [0.09, nil]) }
        #expect(stack.trend.verdict == .churn && stack.trend.confidence == 0.91)
        #expect(stack.trend.survival == [0.09, nil])
        #expect(stack.with { $0.survival = [0.1, nil] }.trend.confidence != 0.9)
    }

    @Test("how fast: over the patience, and over longer where ten births are not in it")
    func rates() throws {
        func growth(_ births: Double, watch: Double, count: UInt64 = 144) throws -> Rate {
            let stack = Stack([1: births]).with { ($0.watch, $0.count) = (watch, count) }
            return try #require(stack.trend.growthCount)
        }
        #expect(try growth(10, watch: 72).value == 16 && growth(9, watch: 72).value == 2)
        #expect(try growth(9, watch: 71).value == 4 && growth(9, watch: 18).value == 8)
        #expect(try growth(9, watch: 17).value == 16 && growth(9, watch: 6).value == 24)
        // births, and the deaths that make the difference
        let all = try #require(Stack([1: 100]).trend.growthCount)
        #expect(all.value == 100.0 / 9 && all.error == 10.0 / 9)
        let stack = Stack([1: 100]).with { $0.count = 36 }
        let some = try #require(stack.trend.growthCount), bytes = try #require(stack.trend.growth)
        #expect(some.value == 4 && abs(some.error - (164.0).squareRoot() / 9) < 1e-9)
        #expect(bytes.value == 40 && abs(bytes.error - (164.0 * 100).squareRoot() / 9) < 1e-9)
        // one of four recorded: fewer events, each for more
        let sampled = try #require(Stack([1: 100]).with { ($0.share, $0.count) = (0.25, 100) }.trend.growthCount)
        #expect(sampled.value == 100.0 / 9 && abs(sampled.error - 20.0 / 9) < 1e-9)
        // one event at least
        let none = try #require(Stack([:]).with { $0.count = 0 }.trend.growthCount)
        #expect(none.value == 0 && none.error > 0)
    }
}
