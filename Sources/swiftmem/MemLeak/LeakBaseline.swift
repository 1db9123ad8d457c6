// SPDX-License-Identifier: Apache-2.0
internal import Reports

/// A moment from which on only what is allocated later counts (`--baseline`, SIGUSR2).
struct LeakBaseline {
    /// CLOCK_MONOTONIC, nanoseconds: what was allocated until then is left out; 0: nothing is.
    private(set) var time: UInt64 = 0
    /// When it is to be set by itself; nil: it is not.
    private var due: UInt64?
    /// How many allocations were left out at first: those that are fewer later were freed.
    private var count: UInt64 = 0

    /// - Parameter seconds: from now on, to when it is to be set; nil: for a signal alone.
    init(after seconds: Double?) { due = seconds.map { monotonicNow() + UInt64($0 * 1e9) } }

    var isSet: Bool { time > 0 }

    /// Seconds until it is due.
    func delay(at now: UInt64) -> Double? { due.map { $0 > now ? Double($0 - now) / 1e9 : 0 } }

    func isDue(_ now: UInt64) -> Bool { due.map { now >= $0 } ?? false }

    mutating func set(at now: UInt64, _ sum: OutstandingSum) {
        (time, due, count) = (now, nil, sum.count)
    }

    /// Frees so far of what was there then, as far as no other frees are counted.
    func freed(_ older: OutstandingSum) -> UInt64 { count > older.count ? count - older.count : 0 }

    /// What is said when it is set.
    static func words(_ sum: OutstandingSum) -> String {
        "baseline: \(sum.bytes) bytes in \(sum.count) allocations are left out from now on"
    }

    static let needsAges = "no ages are known (--combined-only): there is no baseline"
}
