// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// Processes that fork, call exec, live in containers and cgroups, or whose file is gone.
    @Suite(.serialized, .exercises("memleak")) struct MemLeakProcesses {
        @Test("a container: its own mount namespace, process ids, root and C library")
        func container() throws {
            let contain = try Fixture.contain.path(), program = try Fixture.stepsMusl.path()
            let root = try ContainerRoot(program: program)
            let (steps, pid) = try root.start(contain)
            let tool = try MemLeakTool.follow(pid)
            try steps.step("leak")
            let report = try MemLeakResult(tool.stop(SIGINT))
            steps.end()
            let file = try #require(report.hooked.first?.file)
            #expect(file.contains("/lib/ld-musl-"))
            report.expect("leak_me", pid: Int(pid), [50_000, 500])
            report.expectWhole()
        }

        @Test("a program replaced since it started, and one deleted: named by what it was")
        func replaced() throws {
            let original = try Fixture.steps.path(), other = try Fixture.builds[0].path()
            for replacement in [other, nil] {
                let path = "\(NSTemporaryDirectory())/memleak-replaced-\(UInt32.random(in: 0 ... .max))"
                try FileManager.default.copyItem(atPath: original, toPath: path)
                defer { try? FileManager.default.removeItem(atPath: path) }
                let steps = try Steps(at: path)
                try FileManager.default.removeItem(atPath: path)
                if let replacement { try FileManager.default.copyItem(atPath: replacement, toPath: path) }
                let tool = try MemLeakTool.follow(steps.pid)
                try steps.step("leak")
                let report = try MemLeakResult(tool.stop(SIGINT))
                steps.end()
                report.expect("leak_me", [50_000, 500])
            }
        }

        @Test(
            "exec during the trace: said, what was there dropped, the new program's allocator found",
            arguments: [Fixture.steps, .stepsMusl, .stepsStatic])
        func exec(next: Fixture) throws {
            let steps = try Steps(), program = try next.path()
            let tool = try MemLeakTool.follow(steps.pid)
            try steps.step("leak")
            steps.running.send("exec \(program)\n")
            try steps.running.row(ReadyRow.self)
            // its allocator is hooked within moments; what it allocates before is not seen
            try tool.row(MemLeakHookedRow.self)
            if next.compiler != "gcc" { try tool.row(MemLeakHookedRow.self) }
            try steps.step("leak")
            let report = try MemLeakResult(tool.stop(SIGINT))
            steps.end()
            report.expect("leak_me", [50_000, 500])
            let name = "steps-\(comm(program))"
            #expect(
                report.errors == "process \(steps.pid) (\(name)) has called exec: what it had allocated is gone\n")
        }

        /// What the kernel keeps of a program's name, behind "steps-".
        private func comm(_ program: String) -> String {
            String(URL(fileURLWithPath: program).lastPathComponent.prefix(15).dropFirst("steps-".count))
        }

        @Test("the process ends: the last report, and a word")
        func ends() throws {
            let steps = try Steps()
            let tool = try MemLeakTool.follow(steps.pid)
            try steps.step("leak")
            steps.end()
            let finished = tool.finish()
            #expect(finished.status == 0)
            try MemLeakResult(finished).expect("leak_me", [50_000, 500])
            #expect(finished.errors == "pid \(steps.pid) has ended\n")
        }

        @Test("a cgroup: who is in it, who joins by fork, nobody else")
        func cgroup() throws {
            let directory = "\(Live.memoryCgroups)/swiftmem-memleak-\(getpid())"
            guard mkdir(directory, 0o755) == 0 else { throw Live.lacking("no cgroup can be made at \(directory)") }
            let inside = try Steps(), outside = try Steps()
            try "\(inside.pid)".write(toFile: directory + "/cgroup.procs", atomically: false, encoding: .utf8)
            let tool = try Tool.tracing(["memleak", "--cgroup", directory, "-o", "0", "-T", "1000", "1000"]).tool
            for steps in [inside, outside] {
                try steps.step("leak")
                try steps.step("fork")
            }
            let report = try MemLeakResult(tool.stop(SIGINT))
            let pids = Set(report.stacks.compactMap(\.pid))
            report.expect("leak_me", pid: Int(inside.pid), [50_000, 500])
            report.expect("leak_in_child", [2000, 200])
            #expect(pids.count == 2 && !pids.contains(Int(outside.pid)))
            #expect(report.losses == 0, "\(report.lost)")
            TestRecord.note("cgroup \(Live.unified ? "v2" : "v1")")
            for steps in [inside, outside] { _ = steps.running.stop(SIGKILL) }
            usleep(100_000)
            rmdir(directory)
        }

        @Test(
            "a fork server: the children's blocks are theirs, what they inherited the server's",
            arguments: try MemLeakTool.someRungs())
        func forkServer(rung: String) throws {
            let program = try Fixture.server.path()
            let server = try Running("/bin/sh", ["-c", "read _; exec \(program)"])
            let tool = try MemLeakTool.follow(server.pid, ["--follow"], rung: rung)
            server.send("\n")
            try server.row(DoneRow.self)
            let report = try MemLeakResult(tool.stop(SIGINT))
            report.expect("leak_in_server", pid: Int(server.pid), [25_600, 200])
            report.expect("leak_in_child", [19_200, 300])
            #expect(report.losses == 0, "\(report.lost)")
            server.closeInput()
        }
    }
}
