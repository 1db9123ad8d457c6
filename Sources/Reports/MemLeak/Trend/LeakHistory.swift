// SPDX-License-Identifier: Apache-2.0

/// What is outstanding of each stack, look after look: what a verdict is given from.
public struct LeakHistory<Key: Hashable & Sendable>: Sendable {
    /// Seconds whose survivors are counted.
    public static var ages: [UInt64] { [10, 60, 300] }
    /// Looks kept: the newer, the closer together.
    private static var mostLooks: Int { 48 }

    /// Seconds after which a growth that has not ended may be called a leak.
    public let patience: Double
    private let start: UInt64
    private var looks: [Look] = []
    private var tracks: [Key: LeakTrack] = [:]
    /// As of the last look.
    private var trends: [Key: StackTrend] = [:]
    private var grid: AgeGrid
    private let mayLeak: Bool

    private struct Look: Sendable {
        let time: UInt64
        let unmatched: UInt64?
    }

    /// - Parameters:
    ///   - start: when tracing began, CLOCK_MONOTONIC nanoseconds.
    ///   - patience: seconds.
    ///   - mayLeak: false where growth proves no leak, however long it goes on.
    public init(start: UInt64, patience: Double, mayLeak: Bool = true) {
        self.start = start
        self.mayLeak = mayLeak
        self.patience = max(0.01, patience)
        grid = AgeGrid(now: start, width: UInt64(self.patience * 1e9) / UInt64(AgeGrid.patience))
    }

    /// Seconds since tracing began, at the last look.
    public var watch: Double { Double(grid.now - start) / 1e9 }

    /// How a look taken now is to sort what it finds.
    public func grid(at now: UInt64) -> AgeGrid {
        AgeGrid(
            now: max(now, grid.now), width: grid.width, last: looks.last?.time,
            survival: Self.ages.map { cohort(age: $0, at: now) })
    }

    /// Births whose survivors tell the share of an age: between two looks, so that what was allocated is known.
    private func cohort(age: UInt64, at now: UInt64) -> Range<UInt64> {
        let nanoseconds = age * 1_000_000_000
        guard now > nanoseconds, let end = looks.last(where: { $0.time <= now - nanoseconds })?.time else {
            return 0..<0
        }
        let begin = looks.last { $0.time + nanoseconds / 2 <= end }?.time ?? start
        return begin < end ? begin + 1..<end + 1 : 0..<0
    }

    /// Takes a look in.
    ///
    /// - Parameters:
    ///   - sums: what is outstanding, by stack, as `grid` sorts it.
    ///   - made: how many were recorded since the start, by stack; nil: not known.
    ///   - unmatched: frees so far of what was not recorded; nil: that says nothing of what was there before the start.
    public mutating func take(
        _ sums: [Key: OutstandingSum], made: [Key: UInt64]?, unmatched: UInt64?, grid: AgeGrid
    ) {
        let halfLife = 2 * patience * 1e9
        for key in Set(sums.keys).union(tracks.keys) {
            var track = tracks[key] ?? LeakTrack()
            track.take(sums[key], made: made.map { $0[key] ?? 0 }, grid, halfLife: halfLife)
            let absent = Double(grid.now - track.lastSeen)
            tracks[key] = absent < 2 * halfLife ? track : nil
        }
        self.grid = grid
        looks.append(Look(time: grid.now, unmatched: unmatched))
        thin()
        trends = [:]
        for (key, sum) in sums {
            let trend = judge(key, sum)
            trends[key] = trend
            tracks[key]?.isLeaking = trend.verdict == .leaking
        }
    }

    private func judge(_ key: Key, _ sum: OutstandingSum) -> StackTrend {
        guard let track = tracks[key] else { return StackTrend(verdict: .tooEarly) }
        let judge = LeakJudge(
            start: start, grid: grid, patience: patience, track: track, sum: sum, mayLeak: mayLeak,
            survival: survival(track, sum.ages),
            unmatched: { since in
                guard let end = looks.last?.unmatched else { return nil }
                return end &- (looks.last { $0.time <= since }?.unmatched ?? 0)
            })
        return judge.trend
    }

    /// Forgets every second look of the older half when there are too many.
    private mutating func thin() {
        guard looks.count > Self.mostLooks else { return }
        let older = looks.prefix(Self.mostLooks / 2).enumerated()
        let gone = Set(older.filter { $0.offset % 2 == 1 }.map(\.element.time))
        looks.removeAll { gone.contains($0.time) }
        for key in tracks.keys { tracks[key]?.forget(looks: gone) }
    }

    /// Stacks whose memory is gone by itself: their process has ended, or has another program.
    public mutating func forget(where isGone: (Key) -> Bool) {
        tracks = tracks.filter { !isGone($0.key) }
        trends = trends.filter { !isGone($0.key) }
    }

    /// How a stack develops, as of the last look.
    public func trend(of key: Key) -> StackTrend { trends[key] ?? StackTrend(verdict: .tooEarly) }

    private func survival(_ track: LeakTrack, _ profile: AgeProfile?) -> [Double?] {
        Self.ages.indices.map { index in
            guard let profile, index < grid.survival.count, !grid.survival[index].isEmpty else { return nil }
            let begin = grid.survival[index].lowerBound - 1, end = grid.survival[index].upperBound - 1
            guard let before = begin == start ? 0 : track.made(at: begin), let after = track.made(at: end),
                after > before
            else { return nil }
            let alive = index < profile.survivors.count ? profile.survivors[index] : 0
            return min(1, alive / (after - before))
        }
    }
}
