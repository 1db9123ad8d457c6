// SPDX-License-Identifier: Apache-2.0
import Foundation
import Probes
import Testing

extension LiveTests {
    /// The programs in Examples, run for real.
    @Suite(.serialized) struct Examples {
        private func start(_ name: String, _ arguments: String...) throws -> Running {
            try Running(Tool.directory.appendingPathComponent("example-\(name)"), arguments)
        }

        @Test("exec-events: an exec is seen, with its file and process")
        func execEvents() throws {
            let example = try start("exec-events", "1000")
            #expect(try example.line() == "tracing")
            // named by no other: a file that is ours alone
            let file = "\(Live.scratch)/example-\(getpid())"
            try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: "/bin/true")
            defer { try? FileManager.default.removeItem(atPath: file) }
            let process = try Process.run(URL(fileURLWithPath: file), arguments: [])
            process.waitUntilExit()
            while true {
                let words = try example.line(within: 10).split(separator: " ", maxSplits: 1)
                guard words.last.map(String.init) == file else { continue }
                #expect(words.first == "\(process.processIdentifier)")
                break
            }
            example.signal(SIGKILL)
            _ = example.finish()
        }

        @Test("exec-events: it ends after as many events as were asked for, and says what was lost")
        func execEventsCount() throws {
            let example = try start("exec-events", "2")
            #expect(try example.line() == "tracing")
            for _ in 0..<2 { try Process.run(URL(fileURLWithPath: "/bin/true"), arguments: []).waitUntilExit() }
            let finished = example.finish()
            #expect(finished.status == 0)
            #expect(finished.lines.count == 4)
            #expect(finished.lines.last == "lost 0")
        }

        @Test("calls-per-cpu: at least what this process called, and the CPUs add up")
        func callsPerCPU() throws {
            let example = try start("calls-per-cpu", "2")
            var made = 0
            while example.process.isRunning {
                // a call that no other test counts in this process
                for _ in 0..<1000 { _ = getuid() }
                made += 1000
            }
            let finished = example.finish()
            #expect(finished.status == 0)
            #expect(finished.lines.count == 2)
            var counted = 0
            for line in finished.lines {
                let words = line.split(separator: " ", maxSplits: 1)
                let total = try #require(words.first.flatMap { Int($0) })
                let perCPU = words[1].split { "[], ".contains($0) }.compactMap { Int($0) }
                #expect(perCPU.reduce(0, +) == total)
                counted += total
            }
            // but for its first moments, before it counted, and its last
            #expect(counted > made / 4)
        }

        @Test(
            "uprobe-cookies: calls are told apart by the function's cookie",
            .enabled(if: KernelVersion.running >= KernelVersion(5, 15)))
        func uprobeCookies() throws {
            let finished = try start("uprobe-cookies").finish()
            #expect(finished.lines == ["getppid 3", "getuid 5", "getgid 0"])
            #expect(finished.status == 0)
        }

        @Test("task-list: this process is among all, by its id and name")
        func taskList() throws {
            let finished = try start("task-list").finish()
            #expect(finished.status == 0)
            let comm = try String(contentsOfFile: "/proc/self/comm", encoding: .utf8).dropLast()
            #expect(finished.lines.contains("\(getpid()) \(comm)"))
            #expect(finished.lines.count > 3)
        }

        @Test("file-opens: opens are counted on the best rung of this kernel, and it says why not on a better one")
        func fileOpens() throws {
            let example = try start("file-opens", "1")
            var line = try example.line()
            var refusals: [String] = []
            while line.hasPrefix("not by ") {
                refusals.append(line)
                line = try example.line()
            }
            #expect(
                line == "by the kernel's function" && refusals.isEmpty
                    || line == "by system calls" && refusals.count == 1)
            for _ in 0..<500 { close(open("/dev/null", O_RDONLY)) }
            let finished = example.finish()
            #expect(finished.status == 0)
            let count = try #require(finished.lines.last?.split(separator: " ").first.flatMap { Int($0) })
            #expect(count >= 500)
        }
    }
}
