// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// One stack over all looks.
struct LeakTrack: Sendable {
    /// What one look saw of it.
    struct Point: Hashable, Sendable {
        let time: UInt64
        let count: Double
        let bytes: Double
        /// Those that had outlived a bin: not in flight any more.
        let settled: Double
        /// Recorded since the start, outstanding or not; nil: not known.
        let made: Double?
    }

    /// By time.
    private(set) var points: [Point] = []
    /// Settled and old ones that were seen to die; what is long ago counts less and less.
    private(set) var settledDeaths = 0.0
    private(set) var oldDeaths = 0.0
    /// When most of what had settled died at once, last.
    private(set) var dropped: UInt64?
    /// Nanoseconds of the longest growth that came to an end by that.
    private(set) var longestTooth: UInt64 = 0
    /// When something of it was outstanding last.
    private(set) var lastSeen: UInt64 = 0
    /// The last look called it a leak.
    var isLeaking = false
    private var old = 0.0
    private var oldest = UInt64.max

    /// Takes a look in.
    ///
    /// - Parameters:
    ///   - sum: what is outstanding; nil: nothing.
    ///   - halfLife: nanoseconds after which a death counts half.
    mutating func take(_ sum: OutstandingSum?, made: UInt64?, _ grid: AgeGrid, halfLife: Double) {
        let profile = sum?.ages
        if let before = points.last, before.time == grid.last, sum == nil || profile != nil {
            let fade = exp2(-Double(grid.now - before.time) / halfLife)
            let died = max(0, before.settled - (profile?.stillSettled ?? 0))
            settledDeaths = settledDeaths * fade + died
            oldDeaths = oldDeaths * fade + max(0, old - (profile?.stillOld ?? 0))
            if before.settled >= 8, died >= before.settled / 2, oldest < grid.now {
                dropped = grid.now
                // by how much the oldest that is left is younger
                let next = min(profile?.oldest ?? grid.now, grid.now)
                if next > oldest { longestTooth = max(longestTooth, next - oldest) }
            }
        }
        old = profile?.old ?? 0
        oldest = profile?.oldest ?? .max
        if sum != nil { lastSeen = grid.now }
        points.append(
            Point(
                time: grid.now, count: Double(sum?.count ?? 0), bytes: Double(sum?.bytes ?? 0),
                settled: profile?.settled ?? 0, made: made.map { Double($0) }))
    }

    mutating func forget(looks gone: Set<UInt64>) { points.removeAll { gone.contains($0.time) } }

    /// A quantity at a moment, between two looks in proportion; before the first it was 0 since `start`.
    func value(_ quantity: KeyPath<Point, Double>, at time: UInt64, start: UInt64) -> Double {
        guard time > start, let later = points.first(where: { $0.time >= time }) else {
            return time > start ? points.last?[keyPath: quantity] ?? 0 : 0
        }
        let earlier = points.last { $0.time < time }
        let begin = earlier?.time ?? start, from = earlier?[keyPath: quantity] ?? 0
        guard later.time > begin else { return later[keyPath: quantity] }
        let share = Double(time - begin) / Double(later.time - begin)
        return from + (later[keyPath: quantity] - from) * share
    }

    /// What was recorded until a look; 0 before the first that saw it.
    func made(at time: UInt64) -> Double? {
        guard let point = points.first(where: { $0.time == time }) else {
            guard let first = points.first, first.time > time, first.made != nil else { return nil }
            return 0
        }
        return point.made
    }
}
