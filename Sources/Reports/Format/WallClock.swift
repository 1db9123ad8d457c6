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

    /// From RFC 3339 in UTC, `2026-01-02T03:04:05Z`, with a fraction or without; nil: it is none.
    public init?(rfc3339 text: String) {
        guard text.hasSuffix("Z") else { return nil }
        let halves = text.dropLast().split(separator: "T", omittingEmptySubsequences: false)
        guard halves.count == 2 else { return nil }
        let days = halves[0].split(separator: "-", omittingEmptySubsequences: false).map { Int32($0) }
        let clock = halves[1].split(separator: ":", omittingEmptySubsequences: false)
        let second = clock.last?.split(separator: ".", omittingEmptySubsequences: false) ?? []
        guard days.count == 3, clock.count == 3, (1...2).contains(second.count), let year = days[0],
            let month = days[1], let day = days[2], let hour = Int32(clock[0]), let minute = Int32(clock[1]),
            let whole = Int32(second[0]), (1970...9999).contains(year), (1...12).contains(month),
            (1...31).contains(day), (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(whole)
        else { return nil }
        let digits = second.count == 2 ? String(second[1]) : "0"
        guard !digits.isEmpty, digits.count <= 9,
            let fraction = UInt32(digits + String(repeating: "0", count: 9 - digits.count))
        else { return nil }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (year - 1900, month - 1, day)
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (hour, minute, whole)
        nanoseconds = Int64(timegm(&parts)) * 1_000_000_000 + Int64(fraction)
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
