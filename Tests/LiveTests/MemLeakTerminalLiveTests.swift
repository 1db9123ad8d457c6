// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// The progress line: on a terminal, gone before a report; nowhere else.
    @Suite(.serialized, .exercises("memleak")) struct MemLeakTerminal {
        @Test("a long run on a terminal shows where it is")
        func progress() throws {
            let steps = try Steps()
            let seconds = Live.inMatrix ? 6 : 4
            // script(1) gives it a terminal
            let tool = try Running(
                URL(fileURLWithPath: "/usr/bin/script"),
                ["-qefc", "\(Tool.binary.path) memleak -o 0 -T 1 -d \(seconds) -p \(steps.pid) 1000", "/dev/null"],
                environment: ["TERM": "xterm"])
            while try !tool.line().hasPrefix("hooked ") {}
            try steps.step("leak")
            let finished = tool.finish()
            steps.end()
            #expect(finished.status == 0)
            let written = finished.output.components(separatedBy: "\r")
            let lines = written.filter { $0.contains("calls/s,") }
            #expect(lines.count >= 2)
            #expect(lines.allSatisfy { $0.hasSuffix(" lost\u{1b}[K") && $0.hasPrefix("00:00:") })
            #expect(lines.contains { $0.contains(" 50000 bytes in 500 allocations outstanding, 0 lost") })
            // the report begins where the line was
            let report = try #require(written.first { $0.contains("] Top 1 stacks") })
            #expect(report.hasPrefix("\u{1b}[K["))
            #expect(finished.output.contains("\t50000 bytes in 500 allocations from stack\r"))
        }

        @Test("none in a pipe, none in a file, none with TERM=dumb")
        func noProgress() throws {
            let steps = try Steps()
            let memleak = "\(Tool.binary.path) memleak -d 2.5 -p \(steps.pid) 1000"
            // standard error is a terminal, the reports go through a pipe
            var runs = ["TERM=xterm script -qefc '\(memleak) | cat' /dev/null </dev/null"]
            if !Live.inMatrix {
                runs += ["TERM=dumb script -qefc '\(memleak)' /dev/null </dev/null", "TERM=xterm \(memleak)"]
            }
            let all = try runs.map(Tool.shell)
            steps.end()
            for finished in all {
                #expect(finished.status == 0)
                #expect(finished.output.contains("] Top 10 stacks"))
                #expect(!(finished.output + finished.errors).contains("calls/s"))
            }
        }
    }
}
