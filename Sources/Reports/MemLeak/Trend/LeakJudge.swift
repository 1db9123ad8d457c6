// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Gives the verdict of one stack, from what is outstanding of it now and what the looks before have seen.
///
/// All of it is in blocks that have settled, those that have outlived a ninth of the patience: what is in flight comes
/// and goes. Births are the settled ones by age, deaths those of the last look that are gone.
struct LeakJudge {
    let start: UInt64
    let grid: AgeGrid
    let patience: Double
    let track: LeakTrack
    let sum: OutstandingSum
    let mayLeak: Bool
    let survival: [Double?]
    /// Frees since a moment of what was there before the start; nil: not known.
    let unmatched: (UInt64) -> UInt64?

    private var watch: Double { Double(grid.now - start) / 1e9 }
    private var width: Double { Double(grid.width) / 1e9 }

    /// The moment so many seconds ago. What is rounded may lie before all clocks.
    private func ago(_ seconds: Double) -> UInt64 {
        let nanoseconds = UInt64(max(0, seconds * 1e9))
        return grid.now > nanoseconds ? grid.now - nanoseconds : 0
    }

    var trend: StackTrend {
        let (bytes, count) = growth
        let (verdict, confidence) = sum.ages.map(verdict) ?? verdictWithoutAges
        return StackTrend(
            verdict: verdict, confidence: confidence.map { ($0 * 1000).rounded() / 1000 }, growth: bytes,
            growthCount: count, survival: survival)
    }

    // MARK: how fast it grows

    /// Bytes and allocations a second, over the patience, or longer where that has too few.
    private var growth: (bytes: Rate?, count: Rate?) {
        guard watch > 0 else { return (nil, nil) }
        var window = min(patience, watch)
        while window * 2 <= min(watch, patience * 8), births(within: window) * share < 10 { window *= 2 }
        let then = ago(window)
        let count = Double(sum.count) - track.value(\.count, at: then, start: start)
        let bytes = Double(sum.bytes) - track.value(\.bytes, at: then, start: start)
        // as many events as there were, or one that just did not come
        let events = max(1, self.events(within: window, net: count) * share)
        let square = meanSquare
        return (
            Rate(value: bytes / window, error: (events * square).squareRoot() / window),
            Rate(value: count / window, error: events.squareRoot() / share / window)
        )
    }

    /// Recorded blocks an allocation: 1, or less where they are sampled.
    private var share: Double {
        guard let profile = sum.ages, sum.count > 0 else { return 1 }
        return min(1, profile.recorded / Double(sum.count))
    }

    private var meanSquare: Double {
        if let profile = sum.ages, profile.recorded > 0 { return profile.squares / profile.recorded }
        let mean = sum.count > 0 ? Double(sum.bytes) / Double(sum.count) : 0
        return mean * mean
    }

    private func births(within seconds: Double) -> Double {
        guard let profile = sum.ages else { return 0 }
        let bins = Int((seconds / width).rounded())
        return profile.counts.prefix(min(bins, AgeGrid.bins)).reduce(0, +)
    }

    /// Births and deaths; where there are no ages, what the looks saw of both.
    private func events(within seconds: Double, net: Double) -> Double {
        if sum.ages != nil {
            let births = births(within: seconds)
            return births + max(0, births - net)
        }
        let then = ago(seconds)
        let points = track.points.filter { $0.time >= then }
        return zip(points, points.dropFirst()).reduce(abs(net) / 2) { $0 + abs($1.1.count - $1.0.count) }
    }

    // MARK: the verdict

    private func verdict(_ profile: AgeProfile) -> (LeakVerdict, Double?) {
        guard watch >= patience / 3 else { return (.tooEarly, nil) }
        if mayLeak, let confidence = leak(profile) { return (.leaking, confidence) }
        let quiet = quiet(profile)
        if quiet >= patience / 3 {
            let isOneOff = profile.birthSpread <= width / 5
            return (isOneOff ? .oneOff : .plateau, quiet / (quiet + patience / 3))
        }
        // no older than what was freed all at once before: the next tooth of a saw
        if track.longestTooth > 0, grid.now - min(grid.now, profile.oldest) < 2 * track.longestTooth {
            return (.churn, track.settledDeaths / max(1, track.settledDeaths + profile.settled))
        }
        let bins = min(AgeGrid.patience - 1, Int(watch / width) - 1)
        let recent = settled(profile, bins: max(1, bins))
        if recent.sigmas >= 3, recent.net >= recent.born / 2, track.settledDeaths < recent.born {
            return (.growing, Self.normal(recent.sigmas))
        }
        let deaths = track.settledDeaths
        if let alive = survival.first ?? nil, alive < 0.1 { return (.churn, 1 - alive) }
        // all of it is young: freed soon, or the first of it
        let isNew = track.points.first { $0.count > 0 }.map { Double(grid.now - $0.time) / 1e9 < patience / 3 } ?? true
        let wasFreed = track.points.last?.made.map { $0 >= 2 * profile.recorded } ?? !isNew
        if isNew && !wasFreed { return (.tooEarly, nil) }
        if profile.settled <= Double(sum.count) / 10 {
            return (.churn, 1 - profile.settled / max(1, Double(sum.count)))
        }
        if let dropped = track.dropped, Double(grid.now - dropped) / 1e9 < 2 * patience {
            return (.churn, deaths / max(1, deaths + profile.settled))
        }
        guard recent.born * share >= 10 || deaths >= 10 else { return (.tooEarly, nil) }
        return (.plateau, min(1, deaths / max(1, recent.born)))
    }

    /// Seconds since the last allocations but a few: a fiftieth of it may be younger.
    private func quiet(_ profile: AgeProfile) -> Double {
        let total = profile.counts.reduce(0, +)
        var young = 0.0
        for (bin, count) in profile.counts.enumerated() {
            young += count
            if young > total / 50 { return Double(bin) * width }
        }
        return 0
    }

    /// Settled births in the bins behind the newest, and what came of them.
    private func settled(_ profile: AgeProfile, bins: Int) -> (born: Double, net: Double, sigmas: Double) {
        let born = profile.counts[1...min(bins, AgeGrid.bins - 1)].reduce(0, +)
        let then = grid.now > grid.width * UInt64(bins) ? grid.now - grid.width * UInt64(bins) : 0
        let net = profile.settled - track.value(\.settled, at: then, start: start)
        let events = (born + max(0, born - net)) * share
        return (born, net, events > 0 ? net * share / events.squareRoot() : 0)
    }

    // MARK: a leak

    /// The confidence that it leaks; nil: it can't be said to.
    ///
    /// Tried over the patience, and over twice, four times and eight times as long, for slow leaks.
    private func leak(_ profile: AgeProfile) -> Double? {
        let tooth = 2 * Double(track.longestTooth) / 1e9
        // hardly any that got old was freed
        guard track.oldDeaths <= (track.oldDeaths + profile.old) / 100 else { return nil }
        var confidence: Double?
        for factor in [1, 2, 4, 8] {
            let bins = factor * (AgeGrid.patience - 1)
            let span = Double(bins + 1) * width
            guard watch >= span - width / 10 else { break }
            let sigmas =
                track.isLeaking && factor == 1 ? growth(profile, bins: bins) : steadyGrowth(profile, bins: bins)
            guard span >= tooth * 0.999, let sigmas else { continue }
            confidence = Self.normal(sigmas) * (1 - patience / (4 * span))
        }
        return confidence
    }

    /// By how many standard errors it grew, all through a time and with few deaths; nil: it did not.
    private func steadyGrowth(_ profile: AgeProfile, bins: Int) -> Double? {
        let size = bins / 4
        // oldest first
        let quarters = (0..<4).map { quarter in
            profile.counts[(1 + (3 - quarter) * size)..<(1 + (4 - quarter) * size)].reduce(0, +) * share
        }
        let born = quarters.reduce(0, +)
        guard born >= 10, let least = quarters.min(), let most = quarters.max(), least >= 1, most <= born * 0.6 else {
            return nil
        }
        // what slows down will stop
        let early = quarters[0] + quarters[1], late = quarters[2] + quarters[3]
        guard late >= early * 0.6, quarters[3] >= born / 10 else { return nil }
        guard late >= early * 0.8 || (early - late) / born.squareRoot() < 2.5 else { return nil }
        let before = profile.counts[(bins + 1)...].prefix(bins + 1).reduce(0, +) * share
        guard before <= born * 3 else { return nil }
        return growth(profile, bins: bins)
    }

    /// By how many standard errors it grew in a time, with few deaths, up to now; nil: it did not. That is enough for
    /// what was a leak at the last look.
    private func growth(_ profile: AgeProfile, bins: Int) -> Double? {
        guard quiet(profile) < patience / 3 else { return nil }
        let growth = settled(profile, bins: bins)
        guard growth.net >= growth.born * 0.7, growth.sigmas >= 3 else { return nil }
        // what was there before the start is freed meanwhile: a cache may be renewing itself
        let begin = ago(Double(bins + 1) * width)
        if let freed = unmatched(begin), Double(freed) >= growth.born / 2 { return nil }
        return growth.sigmas
    }

    // MARK: without ages

    /// The kernel adds up: looks are all there is, and nothing tells whether what is old is freed.
    private var verdictWithoutAges: (LeakVerdict, Double?) {
        guard watch >= patience / 3, track.points.count >= 3 else { return (.tooEarly, nil) }
        let window = min(patience, watch)
        let then = ago(window)
        let net = Double(sum.count) - track.value(\.count, at: then, start: start)
        let lately = Double(sum.count) - track.value(\.count, at: ago(window / 3), start: start)
        let events = max(1, events(within: window, net: net))
        let sigmas = net / events.squareRoot()
        if sigmas >= 3, lately >= net / 10 { return (.growing, Self.normal(sigmas)) }
        let counts = track.points.map(\.count)
        let fallen = zip(counts, counts.dropFirst()).reduce(0) { $0 + max(0, $1.0 - $1.1) }
        if fallen >= Double(sum.count) / 2 { return (.churn, fallen / (fallen + Double(sum.count))) }
        let first = counts.first { $0 > 0 }
        let quiet = Double(grid.now - (track.points.last { $0.count != Double(sum.count) }?.time ?? start)) / 1e9
        guard quiet >= patience / 3 else { return (sigmas >= 3 ? .growing : .plateau, nil) }
        return (first == Double(sum.count) ? .oneOff : .plateau, quiet / (quiet + patience / 3))
    }

    /// The probability that a normal deviate is below.
    private static func normal(_ sigmas: Double) -> Double { 0.5 * (1 + erf(sigmas / 2.0.squareRoot())) }
}
