// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// COUNT, and what is done at the end of an interval: alike for every target.
    @Suite(.serialized, .exercises("memleak")) struct MemLeakIntervals {
        enum Target: CaseIterable { case process, command, cgroup, kernel }

        /// Runs memleak on a target that does nothing, to its end.
        private func run(_ target: Target, _ options: [String]) throws -> Finished {
            switch target {
            case .process:
                let steps = try Steps()
                defer { steps.end() }
                return try Tool.run(["memleak", "--json", "-p", "\(steps.pid)"] + options)
            case .command:
                // The command holds the pipe that is read here. It ends once memleak has, which is a zombie until its
                // output has been read, or after twenty seconds.
                let wait = """
                    n=0
                    while [ $n -lt 200 ] && read -r pid comm state rest </proc/$PPID/stat && [ "$state" != Z ]
                    do sleep 0.1; n=$((n + 1)); done
                    [ $n -lt 200 ] || echo outlived >&2
                    """
                return try Tool.run(["memleak", "--json"] + options + ["--", "sh", "-c", wait])
            case .cgroup:
                let root = Live.unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"
                let directory = "\(root)/swiftmem-intervals-\(getpid())"
                guard mkdir(directory, 0o755) == 0 else { throw Unsupported("no cgroup can be made at \(directory)") }
                defer { rmdir(directory) }
                return try Tool.run(["memleak", "--json", "--cgroup", directory] + options)
            case .kernel: return try Tool.run(["memleak", "--json", "--cache", "dentry"] + options)
            }
        }

        @Test("COUNT intervals are COUNT reports", arguments: Target.allCases)
        func counted(target: Target) throws {
            let finished = try run(target, ["0.3", "3"])
            #expect(finished.status == 0, "\(finished.errors)")
            #expect(try finished.rows(MemLeakSummaryRow.self).count == 3)
        }

        @Test("with -t COUNT intervals are one report, the last", arguments: Target.allCases)
        func countedCalls(target: Target) throws {
            let finished = try run(target, ["-t", "0.3", "3"])
            #expect(finished.status == 0, "\(finished.errors)")
            #expect(!finished.errors.contains("outlived"))
            #expect(try finished.rows(MemLeakSummaryRow.self).count == 1)
            #expect(finished.lines.last?.contains(#""type":"memleak_summary""#) == true)
        }

        @Test("a report by SIGUSR1 is one more")
        func asked() throws {
            let steps = try Steps()
            defer { steps.end() }
            let tool = try Tool.tracing(["memleak", "-p", "\(steps.pid)", "1.5", "2"]).tool
            tool.signal(SIGUSR1)
            #expect(try tool.finish().rows(MemLeakSummaryRow.self).count == 3)
        }

        @Test(
            "--follow: what a child maps later is found at the end of an interval",
            arguments: [Target.process, .command])
        func followed(target: Target) throws {
            #if arch(arm64)
                let library = "/usr/lib/aarch64-linux-musl/libc.so"
            #else
                let library = "/usr/lib/x86_64-linux-musl/libc.so"
            #endif
            let child = "(sleep 1; echo map \(library); sleep 2) | \(try Fixture.steps.path())"
            let finished: Finished
            if target == .command {
                finished = try Tool.run(["memleak", "--json", "--follow", "0.4", "--", "sh", "-c", child])
            } else {
                let shell = try Running("/bin/sh", ["-c", "read _; \(child)"])
                let tool = try Tool.tracing(["memleak", "-p", "\(shell.pid)", "--follow", "0.4"]).tool
                shell.send("\n")
                finished = tool.finish()
                _ = shell.finish()
            }
            #expect(finished.status == 0, "\(finished.errors)")
            let hooked = try finished.rows(MemLeakHookedRow.self).map(\.file)
            #expect(hooked.contains { $0.hasSuffix("-musl/libc.so") }, "\(hooked)")
        }
    }
}
