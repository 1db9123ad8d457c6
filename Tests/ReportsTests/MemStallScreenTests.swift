// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

@Suite struct MemStallScreenTests: MemStallSamples {
    @Test("the screen: bars by cause, what it means, rows; any size; keys")
    func screen() {
        let rows = [
            row(.memcgMax, tid: 1, milliseconds: 750, limit: "/a"), row(.refault, tid: 2, milliseconds: 250),
            row(.kswapd, tid: 3, milliseconds: 900),
        ]
        var screen = MemStallScreen(grouping: .task)
        #expect(screen.lines(width: 80, height: 24).map(\.text) == ["memstall: the first interval is not over yet"])
        screen.take(interval([]))
        #expect(screen.lines(width: 80, height: 24).contains { $0.text == "nobody waits for memory" })
        screen.take(interval(rows, pressure: MemoryPressure(some: 900_000_000, full: 0), explained: 890_000_000))
        let lines = screen.lines(width: 80, height: 24)
        #expect(lines[0].text == "PSI: some 0.900 s, full 0.000 s of 1.000 s; explained 99 %")
        #expect(lines[1].text == "memcg_max         0.750 s   75 % " + String(repeating: "█", count: 35))
        #expect(lines[2].text == "refault           0.250 s   25 % " + String(repeating: "█", count: 12))
        #expect(lines[3].text.hasPrefix("=> ") && lines.filter(\.isHeading).map(\.text) == [MemStallText().header])
        #expect(lines.contains { $0.text.hasPrefix("kswapd ") })
        for size in [(0, 5), (5, 0), (1, 1), (10, 3), (200, 60)] {
            let some = screen.lines(width: size.0, height: size.1)
            #expect(some.count <= size.1 && some.allSatisfy { $0.text.count <= size.0 })
        }
        func press(_ keys: TerminalKey...) -> [Bool] { keys.map { screen.press($0) } }
        #expect(press(.text("s"), .text(" ")) == [true, true] && screen.grouping == .cause && screen.isPaused)
        screen.take(interval([]))
        #expect(screen.lines(width: 80, height: 24)[0].text.hasSuffix("/ Paused"))
        #expect(press(.text("?")) == [true] && screen.lines(width: 80, height: 4).count == 4)
        // any key goes back from the help
        #expect(press(.text("q"), .text("p"), .text("c"), .text("t"), .up) == [true, true, true, true, true])
        #expect(screen.grouping == .task && press(.text("q")) == [false])
    }
}
