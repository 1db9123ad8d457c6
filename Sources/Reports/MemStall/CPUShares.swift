// SPDX-License-Identifier: Apache-2.0

/// How long each CPU was not idle, by /proc/stat in clock ticks, by PSI in nanoseconds; a CPU that waits for I/O is not idle to PSI.
public struct CPUBusyTimes: Hashable, Sendable {
    /// By the CPU's number.
    public var ticks: [Int: UInt64]

    public init(ticks: [Int: UInt64]) { self.ticks = ticks }

    /// Reads /proc/stat.
    public init(stat text: String) {
        ticks = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let name = words.first, name.hasPrefix("cpu"), let cpu = Int(name.dropFirst(3)), words.count >= 8
            else { continue }
            // user nice system idle iowait irq softirq steal; a guest's time is in user's
            let times = words.dropFirst().prefix(8).map { UInt64($0) ?? 0 }
            ticks[cpu] = times.enumerated().reduce(0) { $1.offset == 3 ? $0 : $0 &+ $1.element }
        }
    }
}

/// What PSI's "some" comes to by the stalls that were seen: each CPU's, weighed by the time it was not idle
/// (collect_percpu_times(), kernel/sched/psi.c), two seconds at a time.
public struct CPUStallSum: Sendable {
    private var stalled: [UInt64]
    private var busy: CPUBusyTimes
    /// How long a unit of `busy` is.
    private let unitNanoseconds: Double
    /// Nanoseconds, since the start.
    public private(set) var some: Double = 0

    /// - Parameters:
    ///   - stalled: nanoseconds by CPU, since the start of counting.
    ///   - unitNanoseconds: of a unit of `busy`.
    public init(stalled: [UInt64], busy: CPUBusyTimes, unitNanoseconds: Double = Self.tickNanoseconds) {
        (self.stalled, self.busy, self.unitNanoseconds) = (stalled, busy, unitNanoseconds)
    }

    /// Ends a span of at most a few seconds.
    public mutating func advance(stalled now: [UInt64], busy busyNow: CPUBusyTimes) {
        var weighed = 0.0, weights = 0.0
        for cpu in now.indices {
            let before = stalled.indices.contains(cpu) ? stalled[cpu] : 0
            let added = Double(now[cpu] > before ? now[cpu] - before : 0)
            let from = busy.ticks[cpu] ?? 0, to = busyNow.ticks[cpu] ?? 0
            var weight = Double(to > from ? to - from : 0)
            // stalled and asleep for want of I/O is not idle, and less than a tick is not seen
            weight = max(weight, added / unitNanoseconds)
            weighed += added * weight
            weights += weight
        }
        if weights > 0 { some += weighed / weights }
        (stalled, busy) = (now, busyNow)
    }

    /// USER_HZ is 100 on every machine that the tools run on.
    public static let tickNanoseconds = 1e7
}
