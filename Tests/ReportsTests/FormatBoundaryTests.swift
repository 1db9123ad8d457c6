// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import Reports

@Suite struct FormatBoundaries {
    @Test(
        "fixed decimals: leading zeros, none at all, and what no longer counts exactly",
        arguments: [
            (0.05, 2, "0.05"), (0.005, 3, "0.005"), (0.5, 1, "0.5"), (9.5, 0, "10"), (7, 0, "7"), (-0.4, 0, "0"),
            (-0.06, 1, "-0.1"), (-12.25, 2, "-12.25"), (8_999_999_999_999_999, 0, "8999999999999999"),
            (9_000_000_000_000_000, 0, "?"), (899_999_999_999_999.5, 1, "899999999999999.5"),
            (900_000_000_000_000, 1, "?"), (-.infinity, 0, "?"), (10, 1, "10.0"), (1, 3, "1.000"),
        ] as [(Double, Int, String)])
    func decimals(value: Double, places: Int, text: String) { #expect(fixed(value, places) == text) }

    @Test("fields that are just as wide as their text, one wider, one narrower")
    func columns() {
        #expect("abc".right(3) == "abc" && "abc".right(4) == " abc" && "abc".right(2) == "abc")
        #expect("abc".left(3) == "abc" && "abc".left(4) == "abc " && "abc".left(2) == "abc")
        #expect("".left(1) == " " && "".right(0) == "")
        var line = TableLine()
        line.right(["1", "22"], 3)
        line.left("x", 2)
        line.add("end")
        #expect(line.text == "  1  22 x  end")
    }

    @Test("a caller's number is a string from 2^53 on")
    func arguments() {
        var line = JSONLine()
        line.add("a", argument: (1 << 53) - 1)
        line.add("b", argument: 1 << 53)
        line.add("c", argument: nil)
        line.add("d", hex: 0)
        line.add("e", hex: nil)
        line.add("f", [String]())
        line.add("g", ["x", "y", "z"])
        line.add("h", [String]?.none)
        line.add("i", [JSONLine(), JSONLine(type: "t")])
        line.add("j", [JSONLine]?.none)
        line.add("k", Bool?.none)
        line.add("l", false)
        line.add("m", Double.infinity)
        line.add("n", "\u{1f}\u{20}\u{10}\u{0f}\r")
        let parts = [
            #"{"a":9007199254740991,"b":"0x20000000000000","c":null,"d":"0x0","e":null,"f":[],"g":["x","y","z"],"#,
            #""h":null,"i":[{},{"type":"t"}],"j":null,"k":null,"l":false,"m":null,"n":"\u001f \u0010\u000f\r"}"#,
        ]
        #expect(line.text() == parts.joined())
    }

    @Test("control characters of one hexadecimal digit and of two")
    func printable() {
        #expect(Printable.text("\u{f}\u{10}\u{7f}\u{85}\u{200b}\u{e000}") == "\\x0f\\x10\\x7f\\x85\\u{200b}\\u{e000}")
    }

    @Test("moments: months, days and hours of one digit and of two")
    func moments() {
        #expect(WallTime(nanoseconds: 1_252_487_349_000_000_000).rfc3339 == "2009-09-09T09:09:09.000000000Z")
        #expect(WallTime(nanoseconds: 1_286_705_410_123_456_789).rfc3339 == "2010-10-10T10:10:10.123456789Z")
        #expect(WallTime(nanoseconds: -1_000_000_000).rfc3339 == "1969-12-31T23:59:59.000000000Z")
        #expect(WallTime(nanoseconds: -1_000_000_001).rfc3339 == "1969-12-31T23:59:58.999999999Z")
    }

    @Test("the clock's time is the C library's", arguments: [0, 32_949, 33_010, 36_610, 86_399, 1_286_705_410])
    func clockTime(seconds: Int) {
        var time = time_t(seconds)
        var parts = tm()
        localtime_r(&time, &parts)
        var text = [CChar](repeating: 0, count: 16)
        let length = strftime(&text, text.count, "%H:%M:%S", &parts)
        let expected = String(decoding: text.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        #expect(WallTime(nanoseconds: Int64(seconds) * 1_000_000_000).clockTime == expected)
        #expect(WallTime(nanoseconds: Int64(seconds) * 1_000_000_000 + 999_999_999).clockTime == expected)
    }

    private func kernelTime(_ clock: clockid_t) -> UInt64 {
        var now = timespec()
        clock_gettime(clock, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }

    @Test("both clocks are the kernel's, to the nanosecond")
    func clocks() {
        for _ in 0..<10 {
            let before = (kernelTime(CLOCK_MONOTONIC), kernelTime(CLOCK_REALTIME))
            let read = (monotonicNow(), UInt64(WallTime.now.nanoseconds))
            let after = (kernelTime(CLOCK_MONOTONIC), kernelTime(CLOCK_REALTIME))
            #expect(before.0 <= read.0 && read.0 <= after.0)
            #expect(before.1 <= read.1 && read.1 <= after.1)
        }
    }

    @Test("stamps become moments: earlier, later, and those no clock gives")
    func stamps() {
        let clocks = Clocks()
        let now = monotonicNow()
        let earlier = clocks.time(monotonic: now - 5), later = clocks.time(monotonic: now + 7)
        #expect(later.nanoseconds - earlier.nanoseconds == 12)
        #expect(clocks.time(monotonic: .max).nanoseconds == .max)
        #expect(clocks.time(monotonic: 0).nanoseconds < WallTime.now.nanoseconds)
    }

    @Test("losses: as many counts as causes, whatever is given; those of the kernel's own are added")
    func losses() {
        #expect(Losses(counts: Array(repeating: 1, count: 100)).total == UInt64(Losses.causes.count))
        var losses = Losses(counts: [0, 4])
        #expect(losses.mapFull == 4 && losses.total == 4)
        losses.addSkipped(3)
        losses.addSkipped(2)
        #expect(
            losses.lines == [
                "4 not tracked: a map was full",
                "5 events skipped by the kernel: the program was running on the CPU already",
            ])
        #expect(losses.since(Losses(counts: [0, 1])).lines.first == "3 not tracked: a map was full")
    }

    @Test("words of C arrays: no more than the array has, none of a negative count")
    func arrays() {
        let words: (UInt64, UInt64, UInt64) = (1, 2, 3)
        #expect(
            fixedWords(words, 2) == [1, 2] && fixedWords(words, 3) == [1, 2, 3] && fixedWords(words, 4) == [1, 2, 3])
        #expect(fixedWords(words, -1).isEmpty && fixedWords(words, 0).isEmpty)
        let bytes: (UInt8, UInt8, UInt8) = (0x61, 0x62, 0)
        #expect(
            fixedBytes(bytes, 2) == [0x61, 0x62] && fixedBytes(bytes, 9).count == 3 && fixedBytes(bytes, -1).isEmpty)
        #expect(fixedText(bytes) == "ab" && fixedText((UInt8(0), UInt8(0x61))) == "")
    }
}

@Suite struct HistogramBoundaries {
    @Test("histograms of one slot, of 32 and of 33")
    func golden() throws {
        let counts: [[UInt64]] = [
            [1], [0, 0, 3], [2, 1000, 999, 0, 25, 24],
            (0..<32).map { $0 }, (0..<33).map { $0 }, Array(repeating: 0, count: 63) + [5],
        ]
        let lines = counts.flatMap { Log2Histogram(counts: $0).lines(unit: "wait_us") }
        try GoldenFile("histograms.txt").expect(lines)
    }

    @Test("the values of the first slots and of the last")
    func ranges() {
        #expect(
            Log2Histogram.range(0) == (0, 1) && Log2Histogram.range(1) == (2, 3) && Log2Histogram.range(2) == (4, 7))
        #expect(Log2Histogram.range(62) == (1 << 62, UInt64.max >> 1))
        #expect(Log2Histogram.range(63) == (1 << 63, UInt64.max))
        let json = Log2Histogram(counts: [0, 4, 0]).json(unit: "ms").map { $0.text() }
        #expect(json == [#"{"from_ms":0,"to_ms":1,"count":0}"#, #"{"from_ms":2,"to_ms":3,"count":4}"#])
    }

    @Test("a most frequent count that a double does not hold has no bar longer than the field")
    func longest() {
        let lines = Log2Histogram(counts: [UInt64.max, UInt64.max - 1]).lines(unit: "us")
        #expect(lines.dropFirst().allSatisfy { $0.hasSuffix("|") && $0.split(separator: "|").last?.count == 40 })
    }
}

@Suite struct GlobPatterns {
    @Test(
        "sets, escapes and stars at their ends",
        arguments: [
            ("[a-c]", "a", true), ("[a-c]", "c", true), ("[a-c]", "d", false), ("[a-c]", "`", false),
            ("[a-cx]", "x", true),
            ("[a-cx]", "w", false), ("[xa-c]", "b", true), ("[a-cx-z]", "y", true), ("[a-]", "-", true),
            ("[a-]", "a", true), ("[a-]", "b", false), ("[-a]", "-", true), ("[^a]", "b", true), ("[^a]", "a", false),
            ("[]a]", "]", true), ("[]a]", "a", true), ("[]a]", "b", false), ("[ab]c", "bc", true),
            ("[ab]c", "b", false),
            ("[ab", "[ab", true), ("[ab", "a", false), ("x[", "x[", true), ("x[", "x", false), ("\\", "\\", true),
            ("\\", "x", false), ("\\*x", "*x", true), ("\\*x", "*y", false), ("\\*", "**", false), ("?x", "ax", true),
            ("?", "", false), ("?x", "ay", false), ("a*", "a", true), ("a*", "b", false), ("*a", "ba", true),
            ("*ab", "aab", true), ("*ab*", "xabab", true), ("a*b*c", "abcbc", true), ("a*b*c", "abcbd", false),
            ("**", "", true), ("a**", "a", true), ("*?", "", false), ("*?", "ab", true), ("a", "ab", false),
            ("ab", "a", false), ("a*[bc]", "axxc", true), ("a*[bc]", "axxd", false),
        ])
    func matches(pattern: String, text: String, expected: Bool) { #expect(Glob(pattern).matches(text) == expected) }
}
