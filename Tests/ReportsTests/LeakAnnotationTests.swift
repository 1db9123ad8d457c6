// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

/// Annotations as GitHub's runner takes them.
@Suite struct LeakAnnotationTests {
    private static func stack(
        _ verdict: LeakVerdict, _ growth: Double, _ frames: [MemLeakFrame]?
    ) -> MemLeakStack {
        var sum = OutstandingSum()
        (sum.bytes, sum.count) = (5600, 100)
        let trend = StackTrend(verdict: verdict, growth: Rate(value: growth, error: 1))
        return MemLeakStack(pid: 7, sum: sum, trend: trend, frames: frames)
    }

    private static let frames = [
        MemLeakFrame(address: 1, symbol: "malloc", module: "/lib/libc.so.6", file: "/usr/src/malloc.c", line: 3),
        MemLeakFrame(
            address: 2, symbol: "a<b, c>::f()", module: "/opt/app", file: "/home/ci/app/Sources/a,b.cc", line: 41),
        MemLeakFrame(address: 3, symbol: "100%\u{1b}", module: "/opt/app"),
    ]

    @Test("a leak: at the innermost line of the workspace's own sources, with its stack; others are none")
    func leak() {
        let stacks = [
            Self.stack(.leaking, 112.4, Self.frames), Self.stack(.growing, 9000, Self.frames),
            Self.stack(.plateau, 0, nil),
        ]
        let lines = LeakAnnotations(rate: 100, workspace: "/home/ci/app").lines(stacks)
        #expect(
            lines == [
                "::error file=Sources/a%2Cb.cc,line=41,title=memory leak in a<b%2C c>%3A%3Af()::"
                    + "+112 bytes/s: 5600 bytes in 100 allocations, never freed%0A"
                    + "  malloc /usr/src/malloc.c:3%0A  a<b, c>::f() Sources/a,b.cc:41%0A  100%25\\x1b"
            ])
    }

    @Test("less than the rate, or no rate: a warning; no source, or a lost stack: no place")
    func levels() {
        let leak = Self.stack(.leaking, 99, [MemLeakFrame(address: 16, symbol: "f", module: "/opt/app")])
        #expect(
            LeakAnnotations(rate: 100, workspace: nil).lines([leak]) == [
                "::warning title=memory leak in f::+99 bytes/s: 5600 bytes in 100 allocations, never freed%0A  f"
            ])
        #expect(LeakAnnotations(rate: nil, workspace: "").lines([leak])[0].hasPrefix("::warning "))
        #expect(LeakAnnotations(rate: 0, workspace: nil).lines([leak])[0].hasPrefix("::error "))
        #expect(
            LeakAnnotations(rate: 0, workspace: nil).lines([Self.stack(.leaking, 2, nil)])[0]
                .hasPrefix("::error title=memory leak in a stack that was lost::+2 bytes/s"))
    }
}
