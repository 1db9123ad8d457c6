// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// Processes of another user's that have more of something than anybody needs, and many tracers at once. What is
    /// traced stays exact, and costs the tracer a bounded amount.
    @Suite(.serialized, .exercises("memleak")) struct HostileCrowds {
        typealias Cost = HostileFiles.Cost

        /// Something there is much of. A guest of the matrix is small and slow: it has less of it.
        struct Crowd: CustomTestStringConvertible, Sendable {
            let kind: String
            var count = 0
            var countInGuest = 0
            /// Processes and threads that the user may have.
            var mostProcesses = 30_000
            var testDescription: String { kind }

            /// Starts it as nobody.
            /// - Parameter cgroup: the directory of the one that it is to be in from its start.
            func start(in cgroup: String? = nil) throws -> Steps {
                let crowd = [try Fixture.crowds.path(), kind, "\(Live.inMatrix ? countInGuest : count)"]
                let user = ["--reuid", "65534", "--regid", "65534", "--clear-groups"]
                let join = cgroup.map { "echo $$ >\($0)/cgroup.procs;" } ?? ""
                let limit = ["-c", #"\#(join) ulimit -u \#(mostProcesses); exec setpriv "$@""#, "bash"]
                let running = try Running("/bin/bash", limit + user + crowd)
                try running.row(ReadyRow.self)
                return Steps(running)
            }
        }

        private static let none = Crowd(kind: "none")
        static let crowds = [
            Crowd(kind: "mappings", count: 60_000, countInGuest: 4000), Crowd(kind: "churn"),
            Crowd(kind: "threads", count: 20_000, countInGuest: 500),
        ]

        @Test("60 000 mappings; a library mapped and unmapped without end; 20 000 threads: exact", arguments: crowds)
        func exact(crowd: Crowd) throws {
            let own = try HostileFiles.trace(Self.none.start()).1
            let (report, cost) = try HostileFiles.trace(crowd.start())
            TestRecord.note("\(cost.megabytes) MiB, \(cost.seconds) s; own \(own.megabytes) MiB, \(own.seconds) s")
            #expect(report.status == 0)
            report.expect("leak_me", [50_000, 500])
            report.expectWhole()
            #expect(cost.megabytes <= own.megabytes + 64)
            #expect(cost.seconds <= own.seconds + (Live.inMatrix ? 30 : 6))
        }

        @Test("a fork bomb among nine in a cgroup: nine exact, the bomb counted")
        func bomb() throws {
            let directory = "\(Live.memoryCgroups)/swiftmem-bomb-\(getpid())"
            guard mkdir(directory, 0o755) == 0 else { throw Live.lacking("no cgroup can be made at \(directory)") }
            defer { rmdir(directory) }
            let honest = try (0..<9).map { _ in try Steps() }
            for steps in honest {
                try "\(steps.pid)".write(toFile: directory + "/cgroup.procs", atomically: false, encoding: .utf8)
            }
            // what forks is born where its parent is
            let bomb = try Crowd(kind: "bomb", mostProcesses: 400).start(in: directory)
            let tool = try Tool.tracing(
                ["memleak", "--cgroup", directory, "-o", "0", "-T", "1000", "1000"]
            ).tool
            for steps in honest { try steps.step("leak") }
            sleep(2)
            tool.signal(SIGUSR1)
            _ = try tool.row(MemLeakSummaryRow.self)
            let cost = try Cost(of: tool.pid)
            let report = try MemLeakResult(tool.stop(SIGINT))
            for steps in honest + [bomb] { _ = steps.running.stop(SIGKILL) }
            TestRecord.note(
                "\(cost.megabytes) MiB, \(cost.seconds) s, \(report.summary.goneCount) blocks of processes that are gone"
            )
            for steps in honest { report.expect("leak_me", pid: Int(steps.pid), [50_000, 500]) }
            // blocks of a process that has ended are no leak, and are counted
            #expect(report.summary.goneCount > 100)
            #expect(report.losses == 0, "\(report.lost)")
            #expect(cost.megabytes <= 128)
        }

        @Test("many tracers of one process: each has all of it")
        func copies() throws {
            let steps = try Self.none.start()
            let tools = try (0..<(Live.inMatrix ? 6 : 24)).map { _ in try MemLeakTool.follow(steps.pid) }
            try steps.step("leak")
            for tool in tools {
                let report = try MemLeakResult(tool.stop(SIGINT))
                #expect(report.status == 0)
                report.expect("leak_me", [50_000, 500])
                report.expectWhole()
            }
            steps.end()
        }
    }
}
