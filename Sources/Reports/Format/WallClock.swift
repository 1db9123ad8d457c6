// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// A moment of the real-time clock.
public struct WallTime: Hashable, Sendable {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    public let nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The moment now.
    public static var now: WallTime { WallTime(nanoseconds: Int64(clock(CLOCK_REALTIME))) }

    /// A moment that a program stamped with bpf_ktime_get_ns() (CLOCK_MONOTONIC).
    public init(monotonic nanoseconds: UInt64) {
        self = Clocks().time(monotonic: nanoseconds)
    }

    /// RFC 3339 in UTC to the nanosecond: `2026-01-02T03:04:05.000000006Z`.
    public var rfc3339: String {
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        var time = time_t(rest < 0 ? seconds - 1 : seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        let fraction = String(rest < 0 ? rest + 1_000_000_000 : rest)
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))T"
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))."
            + String(repeating: "0", count: 9 - fraction.count) + fraction + "Z"
    }

    /// `HH:MM:SS` in the machine's own time zone, as bcc's tools print.
    public var clockTime: String {
        var time = time_t(nanoseconds / 1_000_000_000)
        var parts = tm()
        localtime_r(&time, &parts)
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    }
}

/// Both clocks, read together: one reading serves many stamps.
public struct Clocks: Sendable {
    private let wall = WallTime.now.nanoseconds
    private let monotonic = Int64(clamping: monotonicNow())

    /// Reads them.
    public init() {}

    /// The moment of a stamp of CLOCK_MONOTONIC. One that no clock gives is a moment as near as there is.
    public func time(monotonic nanoseconds: UInt64) -> WallTime {
        let age = monotonic - Int64(clamping: nanoseconds)
        let (time, overflow) = wall.subtractingReportingOverflow(age)
        return WallTime(nanoseconds: overflow ? .max : time)
    }
}

/// CLOCK_MONOTONIC, in nanoseconds: what programs stamp their records with.
public func monotonicNow() -> UInt64 { clock(CLOCK_MONOTONIC) }

private func clock(_ id: clockid_t) -> UInt64 {
    var now = timespec()
    clock_gettime(id, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}
