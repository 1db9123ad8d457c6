// SPDX-License-Identifier: Apache-2.0
internal import Reports

/// A moment from which on only what is allocated later counts (`--baseline`, SIGUSR2).
struct LeakBaseline {
    /// CLOCK_MONOTONIC, nanoseconds: what was allocated until then is left out; 0: nothing is.
    private(set) var time: UInt64 = 0
    /// When it is to be set, CLOCK_MONOTONIC; nil: only by SIGUSR2.
    private var due: UInt64?
    /// Allocations left out when it was set.
    private var count: UInt64 = 0

    /// - Parameter seconds: until it is to be set; nil: only by SIGUSR2.
    init(after seconds: Double?) { due = seconds.map { monotonicNow() + UInt64($0 * 1e9) } }

    var isSet: Bool { time > 0 }

    /// Seconds until it is due.
    func delay(at now: UInt64) -> Double? { due.map { $0 > now ? Double($0 - now) / 1e9 : 0 } }

    func isDue(_ now: UInt64) -> Bool { due.map { now >= $0 } ?? false }

    mutating func set(at now: UInt64, _ sum: OutstandingSum) {
        (time, due, count) = (now, nil, sum.count)
    }

    /// Allocations from before the baseline that were freed since.
    func freed(_ older: OutstandingSum) -> UInt64 { count > older.count ? count - older.count : 0 }

    /// What is said when it is set.
    static func words(_ sum: OutstandingSum) -> String {
        "baseline: \(sum.bytes) bytes in \(sum.count) allocations are left out from now on"
    }

    static let needsAges = "no ages are known (--combined-only): there is no baseline"
}
