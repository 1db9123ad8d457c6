// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

@Suite struct LeakSuppressionsTests {
    @Test(
        "a pattern fits as LeakSanitizer's: anywhere, the star, anchors; a shell's letters are letters",
        arguments: [
            ("foo", "my_foo_bar", true), ("foo", "fo", false), ("^foo", "foo_bar", true), ("^foo", "my_foo", false),
            ("bar$", "foo_bar", true), ("bar$", "bars", false), ("^foo$", "foo", true), ("^foo$", "foo ", false),
            ("f*o", "make_fuoo()", true), ("^f*r$", "foo_bar", true), ("*", "", true), ("a?c", "abc", false),
            ("a?c", "a?c", true), ("[x]", "x", false), ("[x]", "std::array[x]", true),
            ("libz.so", "/usr/lib/libz.so.1", true),
        ] as [(String, String, Bool)])
    func patterns(pattern: String, text: String, fits: Bool) {
        #expect(LeakSuppressions.fits(pattern, text) == fits)
    }

    @Test("any frame's function, module or source file")
    func frames() throws {
        let frames = [
            MemLeakFrame(address: 1, symbol: "malloc_wrapper", module: "/opt/libwrap.so"),
            MemLeakFrame(address: 2, symbol: "App.main", module: "/opt/app", file: "Sources/App/main.swift"),
        ]
        func fits(_ text: String) throws -> Bool { try LeakSuppressions(text).matches(frames) }
        #expect(try fits("leak:App.main") && fits("leak:libwrap") && fits("leak:main.swift$"))
        #expect(try !fits("leak:Session") && !fits("") && !fits("# leak:App.main"))
        #expect(try fits("# known\n\n  leak:Session  \r\nleak:^App.\n"))
        #expect(try !LeakSuppressions("leak:a").matches([]))
    }

    @Test("what is no suppression is refused, with its line")
    func malformed() {
        for (text, line) in [("leak:a\nleak:", 2), ("race:a", 1), ("#\n\nfoo", 3), ("leak", 1)] {
            #expect(throws: LeakSuppressions.Malformed.self) { try LeakSuppressions(text) }
            do { _ = try LeakSuppressions(text) } catch { #expect(error.line == line) }
        }
    }

    @Test("suppressed stacks are in no verdict's count; the largest leak is a stack's, not the sum")
    func summary() {
        let leak = StackTrend(verdict: .leaking, growth: Rate(value: 100, error: 1))
        var sum = OutstandingSum()
        (sum.bytes, sum.count) = (5, 1)
        let summary = LeakSummary([leak, leak], watched: 60, patience: 45, suppressed: [sum, sum])
        #expect(summary.largestLeak == 100 && summary.leaking.growth == 200 && summary.leaking.stacks == 2)
        #expect(
            summary.lines == ["leaking: 2 stacks, +200 bytes/s", "suppressed: 2 stacks, 10 bytes"])
        #expect(LeakSummary(watched: 60, patience: 45).largestLeak == nil)
    }

    @Test("the answer: too early, as far as can be told, growth that may yet be a leak")
    func answers() {
        let growing = StackTrend(verdict: .growing, growth: Rate(value: 1234.5, error: 1))
        #expect(LeakSummary(watched: 60, patience: 0).lines.isEmpty)
        #expect(
            LeakSummary(watched: 5, patience: 45).lines == ["too early to tell what leaks: watched for 5 s of 45"])
        #expect(LeakSummary(watched: 60, patience: 45).lines == ["nothing leaks or grows, as far as 60 s can tell"])
        #expect(
            LeakSummary([growing], watched: 20, patience: 45).lines == [
                "growing: 1 stack, +1235 bytes/s",
                "watched for 20 s: growth is called a leak from 45 s on (--leak-after)",
            ])
        #expect(
            LeakSummary([growing], watched: 20, patience: 45, tellsLeaks: false).lines == [
                "growing: 1 stack, +1235 bytes/s"
            ])
    }
}
