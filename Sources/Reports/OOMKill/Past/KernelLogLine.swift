// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// A line of the kernel log, without what a reader of it puts in front.
public struct KernelLogLine: Hashable, Sendable {
    /// When it was written.
    public enum Stamp: Hashable, Sendable {
        /// Nanoseconds since the machine was booted, sleep left out (printk's clock).
        case sinceBoot(UInt64)
        case wall(WallTime)
    }

    public var stamp: Stamp?
    public var message: Substring

    /// A record of /dev/kmsg (`6,339,5140900,-;text`, Documentation/ABI/testing/dev-kmsg), a line of dmesg, with dates
    /// (`-T`) or seconds, or one of journalctl or syslog, which say `kernel:` before the text. Days without a year are of
    /// the twelve months before `now`.
    public init(_ line: Substring, now: WallTime = .now) {
        if line.first?.isASCII == true, line.first?.isNumber == true, let record = Self.kmsg(line) {
            self = record
        } else if let range = line.firstRange(of: " kernel: ") {
            self.init(Self.rest(line[range.upperBound...]), Self.stamp(line[..<range.lowerBound], now))
        } else if line.first == "[", let end = line.firstIndex(of: "]") {
            let stamp = Self.stamp(line[line.index(after: line.startIndex)..<end], now)
            self.init(Self.rest(line[line.index(after: end)...]), stamp)
        } else {
            self.init(line, nil)
        }
    }

    private init(_ message: Substring, _ stamp: Stamp?) { (self.message, self.stamp) = (message, stamp) }

    private static func rest(_ text: Substring) -> Substring { text.drop { $0 == " " } }

    private static func kmsg(_ line: Substring) -> KernelLogLine? {
        guard let mark = line.firstIndex(of: ";") else { return nil }
        let fields = line[..<mark].split(separator: ",", omittingEmptySubsequences: false)
        guard fields.count >= 4, UInt64(fields[0]) != nil, UInt64(fields[1]) != nil, let time = UInt64(fields[2]) else {
            return nil
        }
        let (nanoseconds, overflow) = time.multipliedReportingOverflow(by: 1000)
        return KernelLogLine(line[line.index(after: mark)...], overflow ? nil : .sinceBoot(nanoseconds))
    }

    private static func stamp(_ text: Substring, _ now: WallTime) -> Stamp? {
        let words = text.split(separator: " ")
        if let first = words.first {
            // journalctl -o short-monotonic keeps the brackets
            let digits = first == "[" ? words.dropFirst().first ?? "" : first.drop { $0 == "[" }
            if let seconds = Double(digits.prefix { $0 != "]" }), seconds >= 0, seconds < 1e10 {
                return .sinceBoot(UInt64(seconds * 1e9))
            }
            if let time = iso(first) { return .wall(time) }
        }
        // `Fri Nov 27 17:00:01 2026`, then `Nov 27 17:00:01`
        if words.count >= 5, let year = Int32(words[4]), let time = local(words[1...3], year) { return .wall(time) }
        guard words.count >= 3 else { return nil }
        return dayOfYear(words.prefix(3), now).map { .wall($0) }
    }

    /// `2026-11-27T17:00:01+0000`, with a fraction or without.
    private static func iso(_ word: Substring) -> WallTime? {
        if word.hasSuffix("Z") { return WallTime(rfc3339: String(word)) }
        guard let sign = word.lastIndex(where: { $0 == "+" || $0 == "-" }),
            let time = WallTime(rfc3339: word[..<sign] + "Z")
        else { return nil }
        let digits = word[word.index(after: sign)...].filter { $0 != ":" }
        guard digits.count == 4, let hours = Int64(digits.prefix(2)), let minutes = Int64(digits.suffix(2)) else {
            return nil
        }
        let offset = (hours * 60 + minutes) * 60_000_000_000
        return WallTime(nanoseconds: time.nanoseconds + (word[sign] == "+" ? -offset : offset))
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Month, day and time of day, in the machine's own time zone.
    private static func local(_ words: ArraySlice<Substring>, _ year: Int32) -> WallTime? {
        let words = Array(words)
        let clock = words[2].split(separator: ":").map { Int32($0) }
        guard (1970...9999).contains(year), let month = months.firstIndex(of: String(words[0])),
            let day = Int32(words[1]),
            clock.count == 3, let hour = clock[0], let minute = clock[1], let second = clock[2],
            (1...31).contains(day), (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (year - 1900, Int32(month), day)
        (parts.tm_hour, parts.tm_min, parts.tm_sec, parts.tm_isdst) = (hour, minute, second, -1)
        return WallTime(nanoseconds: Int64(mktime(&parts)) * 1_000_000_000)
    }

    private static func dayOfYear(_ words: ArraySlice<Substring>, _ now: WallTime) -> WallTime? {
        var today = tm()
        var seconds = time_t(now.nanoseconds / 1_000_000_000)
        localtime_r(&seconds, &today)
        let year = today.tm_year + 1900
        return [year, year - 1].lazy.compactMap { local(words, $0) }
            .first { $0.nanoseconds <= now.nanoseconds + 86_400_000_000_000 }
    }
}
