// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// Programs without names, without rules, of 32 bits, and what is said of what can't be seen.
    @Suite(.serialized, .exercises("memleak")) struct MemLeakPrograms {
        @Test("a program of 32 bits is refused in a line, and one among others is said")
        func narrow() throws {
            let program = try Fixture.narrow.path()
            let steps = try Steps(at: program)
            let attached = try Tool.run(["memleak", "-p", "\(steps.pid)"])
            steps.end()
            #expect(attached.status == 69)
            #expect(
                attached.errors
                    == "swiftmem: process \(steps.pid) runs a 32-bit program: memleak sees 64-bit programs alone\n")
            let started = try Tool.run(["memleak", "-c", program])
            #expect(started.status == 69)
            #expect(started.errors.contains(" runs a 32-bit program: memleak sees 64-bit programs alone\n"))
            #expect(!started.output.contains("ready"))
            let among = try MemLeakTool.trace(
                nil, ["/bin/sh", "-c", "\(program) </dev/null; exit 0"], options: ["--follow"])
            #expect(among.status == 0)
            #expect(among.errors.contains(" runs a 32-bit program: what it allocates is not seen\n"))
        }

        @Test("a frame without a name: its module, where in it, and which build")
        func nameless() throws {
            let program = URL(fileURLWithPath: try Fixture.nameless.path()).resolvingSymlinksInPath().path
            let steps = try Steps(at: program)
            let tool = try MemLeakTool.follow(steps.pid)
            try steps.step("leak")
            let report = try MemLeakResult(tool.stop(SIGINT))
            let maps = try String(contentsOfFile: "/proc/\(steps.pid)/maps", encoding: .utf8)
            steps.end()
            let row = try #require(report.stacks.first { $0.bytes == 50_000 && $0.count == 500 })
            let frame = try #require(row.frames?.first)
            #expect(frame.symbol == nil)
            #expect(frame.module == program)
            let id = try Tool.shell("readelf -n \(program) | sed -n 's/.*Build ID: //p'").lines.first
            #expect(frame.buildId == id)
            // linked at 0: the first line of its mappings is where it was loaded
            let base = try #require(maps.split(separator: "\n").first { $0.hasSuffix(program) }?.prefix { $0 != "-" })
            let offset = frame.address.value - (try #require(Int(base, radix: 16)))
            #expect(frame.moduleOffset?.value == offset)
            // the call that it returns from
            let code = try Tool.shell("objdump -d \(program) | grep -A1 -E 'call.*malloc' | grep -c ' \(hex(offset)):'")
            #expect(code.lines.first == "1", "\(code.output)")
        }

        private func hex(_ value: Int) -> String { String(value, radix: 16) }

        @Test("code without rules that keeps frame pointers is walked through, as node's builtins are")
        func ruleless() throws {
            let report = try MemLeakTool.trace(nil, [try Fixture.ruleless.path()])
            let row = try #require(report.stacks.first { $0.isOn { $0 == "leak_below" } })
            #expect(row.bytes == 300 * 64)
            #expect(row.count == 300)
            let names: [String] = (row.frames ?? []).map { $0.symbol ?? "?" }
            #expect(names.prefix(4).joined(separator: " ") == "leak_below builtin above main")
            #expect(row.stackEnd == "whole")
        }

        @Test("musl's stacks end whole where its C library calls main", arguments: Fixture.musl)
        func musl(fixture: Fixture) throws {
            let report = try MemLeakTool.trace(nil, [try fixture.path()], options: ["--strict"])
            #expect(report.status == 0, "\(report.errors)")
            let own = report.stacks.filter { $0.isOn { $0 == "main" } }
            #expect(!own.isEmpty)
            #expect(own.allSatisfy { $0.stackEnd == "whole" }, "\(own)")
        }

        @Test("with --json the command's lines are on standard error, records alone on standard output")
        func output() throws {
            let finished = try Tool.run(["memleak", "--json", "1000", "--", "/bin/echo", "of the command"])
            #expect(finished.errors == "of the command\n")
            #expect(try finished.types().first == "start")
            let text = try Tool.run(["memleak", "1000", "--", "/bin/echo", "of the command"])
            #expect(text.lines.contains("of the command"))
            #expect(text.errors.isEmpty)
        }

        @Test("a prefix that no function has")
        func prefix() throws {
            let steps = try Steps()
            let attached = try Tool.run(["memleak", "--symbols-prefix", "no_such_", "-p", "\(steps.pid)"])
            #expect(attached.status == 69)
            #expect(
                attached.errors
                    == "swiftmem: no no_such_malloc found in pid \(steps.pid) (--symbols-prefix)\n")
            steps.end()
            let started = try Tool.run(["memleak", "--symbols-prefix", "no_such_", "1000", "--", "/bin/true"])
            #expect(
                started.errors == "no no_such_malloc found in /bin/true (--symbols-prefix): no heap is traced\n")
        }
    }
}
