// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// Arguments that make no sense, and names by which a tool is run.
    @Suite(.serialized) struct Arguments {
        @Test(
            "numbers that are none, or out of range",
            arguments: [
                ["0"], ["-1"], ["nan"], ["1e99"], ["x"], ["1", "0"], ["1", "-3"], ["1", "x"],
                ["-p", "0"], ["-p", "99999999"], ["-p", "x"], ["-d", "0"], ["1", "2", "3"], ["--nope"],
            ])
        func numbers(arguments: [String]) throws {
            let result = try Tool.run(["cachestat"] + arguments)
            #expect(result.status == 64)
            #expect(result.errors.contains("Usage: swiftmem cachestat"))
        }

        @Test("a process or a cgroup that is not there")
        func nobody() throws {
            let pid = try Tool.run(["cachestat", "-p", "4194304"])
            #expect(pid.status == 64)
            #expect(pid.errors == "swiftmem: no process or thread has the id 4194304\n")
            let cgroup = try Tool.run(["cachestat", "--cgroup", "/no/such\u{1b}[31mcgroup"])
            #expect(cgroup.status == 64)
            #expect(cgroup.errors == "swiftmem: --cgroup /no/such\\x1b[31mcgroup: no such cgroup\n")
        }

        @Test("a run under a tool's own name is that tool")
        func links() throws {
            let result = try Tool.shell(
                "d=$(mktemp -d) && ln -s $SWIFTMEM $d/cachestat && $d/cachestat 0.1 1; s=$?; rm -r $d; exit $s")
            #expect(result.status == 0)
            // a note behind the row is of what else the machine reads meanwhile
            let table = result.lines.filter { !$0.hasPrefix("vmstat: ") }
            #expect(table.count == 2)
            #expect(table.first == "    HITS   MISSES  DIRTIES HITRATIO   BUFFERS_MB  CACHED_MB")
            #expect(table.last?.split(separator: " ").count == 6)
        }
    }
}
