// SPDX-License-Identifier: Apache-2.0

/// How one look at what is outstanding sorts it by age: the same for all stacks of the look.
///
/// Times are CLOCK_MONOTONIC nanoseconds.
public struct AgeGrid: Hashable, Sendable {
    /// Bins of a patience: a growth that has gone on for so many may be called a leak.
    static let patience = 9
    /// Bins kept: eight times the patience and the newest bin. What is older is one bin more.
    static let bins = 8 * (patience - 1) + 1

    /// When the look is taken.
    public let now: UInt64
    /// Nanoseconds of a bin.
    public let width: UInt64
    /// When the last look was taken; nil: this is the first.
    let last: UInt64?
    /// Times between which survivors are counted: an age each.
    let survival: [Range<UInt64>]

    /// - Parameters:
    ///   - width: nanoseconds; 0 is taken for 1.
    ///   - last: when the last look was taken.
    ///   - survival: ranges of birth whose survivors are counted.
    init(now: UInt64, width: UInt64, last: UInt64? = nil, survival: [Range<UInt64>] = []) {
        (self.now, self.width, self.last, self.survival) = (now, max(1, width), last, survival)
    }

    /// The bin of a birth, 0 the newest.
    func bin(_ born: UInt64) -> Int {
        let age = now > born ? now - born : 0
        return Int(min(age / width, UInt64(Self.bins)))
    }

    /// What is born until then is settled: it has outlived a bin.
    func settled(at time: UInt64) -> UInt64 { time > width ? time - width : 0 }

    /// What is born until then is old: it has outlived half the patience.
    func old(at time: UInt64) -> UInt64 {
        let age = width * UInt64(Self.patience) / 2
        return time > age ? time - age : 0
    }
}

/// What one stack has outstanding, by age.
public struct AgeProfile: Hashable, Sendable {
    /// Allocations by bin, newest first; the last is of what is older than all bins.
    var counts = [Double](repeating: 0, count: AgeGrid.bins + 1)
    var bytes = [Double](repeating: 0, count: AgeGrid.bins + 1)
    /// How many recorded allocations; fewer than allocations where they are sampled.
    var recorded: Double = 0
    /// Sum of the squares of the bytes that each recorded one stands for.
    var squares: Double = 0
    /// Those that were settled, and old, at the last look already.
    var stillSettled: Double = 0
    var stillOld: Double = 0
    /// Settled and old now.
    var settled: Double = 0
    var old: Double = 0
    /// Recorded ones that survive of the grid's ranges.
    var survivors: [Double] = []
    /// Sums of the births, in seconds, and of their squares: how far apart they lie.
    var births = 0.0
    var birthSquares = 0.0
    /// Birth of the oldest that is outstanding.
    var oldest: UInt64 = .max

    /// Adds a block that stands for `count` of them.
    mutating func add(bytes size: Double, count: Double, born: UInt64, _ grid: AgeGrid) {
        let bin = grid.bin(born)
        counts[bin] += count
        bytes[bin] += size
        recorded += 1
        squares += size * size
        oldest = min(oldest, born)
        // relative to the look, for the squares of monotonic times leave no digits
        let age = (Double(grid.now) - Double(born)) / 1e9
        births += age
        birthSquares += age * age
        if born <= grid.settled(at: grid.now) { settled += count }
        if born <= grid.old(at: grid.now) { old += count }
        if let last = grid.last {
            if born <= grid.settled(at: last) { stillSettled += count }
            if born <= grid.old(at: last) { stillOld += count }
        }
        guard !grid.survival.isEmpty else { return }
        if survivors.isEmpty { survivors = [Double](repeating: 0, count: grid.survival.count) }
        for (index, range) in grid.survival.enumerated() where range.contains(born) { survivors[index] += 1 }
    }

    /// Seconds between births: their standard deviation.
    var birthSpread: Double {
        guard recorded > 0 else { return 0 }
        let mean = births / recorded
        return max(0, birthSquares / recorded - mean * mean).squareRoot()
    }

    /// Adds another stack's, of the same look.
    mutating func add(_ other: AgeProfile) {
        for bin in counts.indices {
            counts[bin] += other.counts[bin]
            bytes[bin] += other.bytes[bin]
        }
        recorded += other.recorded
        squares += other.squares
        stillSettled += other.stillSettled
        stillOld += other.stillOld
        settled += other.settled
        old += other.old
        oldest = min(oldest, other.oldest)
        births += other.births
        birthSquares += other.birthSquares
        if survivors.isEmpty {
            survivors = other.survivors
        } else if !other.survivors.isEmpty {
            for index in survivors.indices { survivors[index] += other.survivors[index] }
        }
    }
}
