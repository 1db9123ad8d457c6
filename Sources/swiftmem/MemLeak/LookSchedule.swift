// SPDX-License-Identifier: Apache-2.0
internal import Reports

/// When the next look at what is outstanding is due, where reports are further apart. Times are CLOCK_MONOTONIC
/// nanoseconds.
struct LookSchedule {
    /// Nanoseconds from one to the next.
    private let interval: UInt64
    private var next: UInt64

    /// - Parameter patience: seconds after which a growth may be called a leak.
    init(patience: Double) {
        interval = UInt64(min(5, max(0.1, patience / 9)) * 1e9)
        next = monotonicNow() + interval
    }

    /// Seconds to the next look.
    func delay(at now: UInt64) -> Double { next > now ? Double(next - now) / 1e9 : 0 }

    func isDue(_ now: UInt64) -> Bool { now >= next }

    /// A look that began then has been taken. The next one is due so late that looks take a twentieth of the time at
    /// most.
    mutating func taken(since begin: UInt64) {
        let now = monotonicNow()
        next = begin + max(interval, (now - min(begin, now)) * 20)
    }
}
