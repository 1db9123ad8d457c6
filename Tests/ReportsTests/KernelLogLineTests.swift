// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

@Suite struct KernelLogLines {
    private let now = WallTime(nanoseconds: 1_767_323_045_000_000_000)  // 2026-01-02T03:04:05Z

    private func line(_ text: String) -> KernelLogLine { KernelLogLine(Substring(text), now: now) }

    @Test("/dev/kmsg: microseconds since the boot; fewer fields or none of numbers are text")
    func kmsg() {
        let record = line("6,339,5140900,-;Killed; process")
        #expect(record.stamp == .sinceBoot(5_140_900_000) && record.message == "Killed; process")
        #expect(line("6,339,5140900,-,caller=T1;x").stamp == .sinceBoot(5_140_900_000))
        #expect(line("6,339,5140900;x").stamp == nil && line("6,339,5140900;x").message == "6,339,5140900;x")
        for text in ["6,a,5,-;x", "6,1,b,-;x", "6a,1,5,-;x", "66 no mark"] { #expect(line(text).message == text[...]) }
        let far = line("6,1,18446744073709551615,-;x")
        #expect(far.stamp == nil && far.message == "x")
    }

    @Test("seconds since the boot, in brackets and behind `kernel:`")
    func seconds() {
        #expect(line("[    1.5] text").stamp == .sinceBoot(1_500_000_000) && line("[    1.5] text").message == "text")
        #expect(line("[1.5] host kernel: text").stamp == .sinceBoot(1_500_000_000))
        #expect(line("[ 2.5] host kernel: text").stamp == .sinceBoot(2_500_000_000))
        #expect(line("[0] x").stamp == .sinceBoot(0) && line("[-1] x").stamp == nil)
        #expect(line("[9999999999.5] x").stamp == .sinceBoot(UInt64(9_999_999_999.5 * 1e9)))
        #expect(line("[10000000000] x").stamp == nil && line("[] x").stamp == nil && line("[1.5 x").stamp == nil)
        #expect(line("[1.5 x").message == "[1.5 x" && line("").message == "")
    }

    @Test("ISO 8601 with a zone: ahead of UTC it is earlier there")
    func iso() {
        func time(_ stamp: String) -> Int64? {
            guard case .wall(let time)? = line("\(stamp) host kernel: x").stamp else { return nil }
            return time.nanoseconds
        }
        let utc = now.nanoseconds
        #expect(time("2026-01-02T03:04:05+0000") == utc && time("2026-01-02T03:04:05Z") == utc)
        #expect(time("2026-01-02T05:34:05+02:30") == utc && time("2026-01-02T05:34:05+0230") == utc)
        #expect(time("2026-01-01T22:04:05-0500") == utc)
        #expect(time("2026-01-02T03:04:05.250000+0000") == utc + 250_000_000)
        for wrong in ["2026-01-02T03:04:05+00", "2026-01-02T03:04:05+00000", "2026-01-02T03:04:05", "2026-01-02"] {
            #expect(time(wrong) == nil, "\(wrong)")
        }
    }

    @Test("dates in the machine's own zone: what no calendar has is no time")
    func dates() throws {
        func time(_ stamp: String) -> Int64? {
            guard case .wall(let time)? = line("[\(stamp)] x").stamp else { return nil }
            return time.nanoseconds
        }
        let day: Int64 = 86_400_000_000_000
        let noon = try #require(time("Thu Jan 15 12:00:00 2026"))
        #expect(time("Fri Jan 16 12:00:00 2026") == noon + day)
        #expect(time("Thu Jan 15 13:02:03 2026") == noon + 3_723_000_000_000)
        // abs: the zone moves it by less than a day
        #expect(abs(noon - (now.nanoseconds + 13 * day)) <= day)
        #expect(time("Thu Jan 1 00:00:60 2026") != nil && time("Thu Jan 31 23:59:59 2026") != nil)
        for wrong in [
            "Thu Jan 15 24:00:00 2026", "Thu Jan 15 12:60:00 2026", "Thu Jan 15 12:00:61 2026", "Thu Jan 15 12:00 2026",
            "Thu Jan 0 12:00:00 2026", "Thu Jan 32 12:00:00 2026", "Thu Jam 15 12:00:00 2026",
            "Thu Jan 15 12:00:00 1969",
            "Thu Jan 15 12:00:00 10000", "Thu Jan 15 -1:00:00 2026",
        ] { #expect(time(wrong) == nil, "\(wrong)") }
        // without a year: within the twelve months before now, or a day behind it
        let before = try #require(time("Dec 31 12:00:00"))
        #expect(now.nanoseconds - before > 0 && now.nanoseconds - before < 4 * day)
        let autumn = try #require(time("Jan 15 12:00:00"))
        #expect(autumn == noon - 365 * day)
    }
}
