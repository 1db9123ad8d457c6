// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import LibBPF
internal import Reports

/// Keeps the programs' share of the machine's CPU time below a limit, by sampling.
///
/// The share is of all CPUs on line, idle or not, and only of what the kernel measures:
/// the programs' own run time, without the way into them.
struct OverheadLimit: ~Copyable {
    private let statistics: RunTimeStatistics
    /// A share of all CPUs' time, 0 to 1.
    private let limit: Double
    private let slowest: UInt64
    private var lastRun: UInt64 = 0
    private var lastTime: UInt64
    private(set) var rate: UInt64
    /// The share in the time last looked at.
    private(set) var share = 0.0
    /// False: the share is above the limit though allocations are sampled as rarely as makes sense. What is left are
    /// frees, each of which is looked at.
    private(set) var isMet = true

    /// One allocation in so many, not fewer: an estimate of a thousand times what was seen still tells which stack it is.
    static let rarest: UInt64 = 1 << 10

    /// - Parameters:
    ///   - percent: of all CPUs' time.
    ///   - rate: one allocation in so many is what is asked for at most.
    init(percent: Double, rate: UInt64) throws(BPFError) {
        statistics = try RunTimeStatistics()
        limit = percent / 100
        slowest = rate
        self.rate = rate
        lastTime = monotonicNow()
    }

    /// Takes in a new reading; says whether the rate is another now, or whether the limit is met.
    ///
    /// - Parameter run: nanoseconds that the programs ran since the start.
    mutating func update(run: UInt64) -> Bool {
        let now = monotonicNow()
        let cpus = Double(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        let time = Double(max(1, now &- lastTime))
        share = Double(run &- lastRun) / (time * cpus)
        (lastRun, lastTime) = (run, now)
        let next = Self.next(rate: rate, share: share, limit: limit, slowest: slowest)
        let meets = share <= (isMet ? limit : limit * 0.9) || next != rate
        guard next != rate || meets != isMet else { return false }
        (rate, isMet) = (next, meets)
        return true
    }

    /// The rate that follows: above the limit by so many times fewer, twice at least; far
    /// below it by half.
    static func next(rate: UInt64, share: Double, limit: Double, slowest: UInt64) -> UInt64 {
        if share > limit {
            let factor = min(64, max(2, (share / limit).rounded(.up)))
            return max(rate, min(rarest, rate * UInt64(factor)))
        }
        if share < limit / 4 { return max(slowest, rate / 2) }
        return rate
    }
}

/// A share of the CPUs' time in hundredths.
struct Percent: Equatable {
    let value: Double

    init?(argument: String) {
        guard let value = Double(argument), value >= 0.001, value <= 100 else { return nil }
        self.value = value
    }
}
