// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// Processes that fork, call exec, live in containers and cgroups, or whose file is gone.
    @Suite(.serialized) struct MemLeakProcesses {
        /// steps.c, ready.
        private func steps(_ fixture: Fixture = .steps, at path: String? = nil) throws -> Running? {
            guard let program = try path ?? fixture.path() else { return nil }
            let running = try Running(URL(fileURLWithPath: program), [])
            _ = try running.object("ready")
            return running
        }

        private func step(_ running: Running, _ step: String) throws {
            running.send(step + "\n")
            _ = try running.object("done")
        }

        @Test("a container: its own mount namespace, process ids, root and C library")
        func container() throws {
            guard let contain = try Fixture.contain.path(), let program = try Fixture.stepsMusl.path() else { return }
            let root = try ContainerRoot(program: program)
            let (running, pid) = try root.start(contain)
            let tool = try MemLeakTool.follow(pid)
            try step(running, "leak")
            let report = try MemLeakResult(tool.stop(SIGINT))
            running.closeInput()
            let file = try #require(report.hooked.first?.text("file"))
            #expect(file.contains("/lib/ld-musl-"))
            #expect(report.sum("leak_me", pid: Int(pid)) == [50_000, 500])
            report.expectWhole()
            Live.record("memleak", "-", "container", report.sum("leak_me") == [50_000, 500], file)
        }

        @Test("a program replaced since it started, and one deleted: named by what it was")
        func replaced() throws {
            guard let original = try Fixture.steps.path(), let other = try Fixture.builds[0].path() else { return }
            for replacement in [other, nil] {
                let path = "\(NSTemporaryDirectory())/memleak-replaced-\(UInt32.random(in: 0 ... .max))"
                try FileManager.default.copyItem(atPath: original, toPath: path)
                defer { try? FileManager.default.removeItem(atPath: path) }
                let running = try #require(try steps(at: path))
                try FileManager.default.removeItem(atPath: path)
                if let replacement { try FileManager.default.copyItem(atPath: replacement, toPath: path) }
                let tool = try MemLeakTool.follow(running.pid)
                try step(running, "leak")
                let report = try MemLeakResult(tool.stop(SIGINT))
                running.closeInput()
                #expect(report.sum("leak_me") == [50_000, 500])
            }
        }

        @Test("exec during the trace: said, what was there dropped, the new program's allocator found")
        func exec() throws {
            for next in [Fixture.steps, .stepsMusl, .stepsStatic] {
                guard let running = try steps(), let program = try next.path() else { return }
                let tool = try MemLeakTool.follow(running.pid)
                try step(running, "leak")
                running.send("exec \(program)\n")
                _ = try running.object("ready")
                // its allocator is hooked within moments; what it allocates before is not seen
                _ = try tool.object("memleak_hooked")
                if next.compiler != "gcc" { _ = try tool.object("memleak_hooked") }
                try step(running, "leak")
                let report = try MemLeakResult(tool.stop(SIGINT))
                running.closeInput()
                #expect(report.sum("leak_me") == [50_000, 500], "\(next.testDescription)")
                #expect(
                    report.errors
                        == "process \(running.pid) (steps-\(comm(program))) has called exec: what it had allocated is gone\n"
                )
                Live.record("memleak", "-", "exec", report.sum("leak_me") == [50_000, 500], next.testDescription)
            }
        }

        /// What the kernel keeps of a program's name, behind "steps-".
        private func comm(_ program: String) -> String {
            String(URL(fileURLWithPath: program).lastPathComponent.prefix(15).dropFirst("steps-".count))
        }

        @Test("the process ends: the last report, and a word")
        func ends() throws {
            guard let running = try steps() else { return }
            let tool = try MemLeakTool.follow(running.pid)
            try step(running, "leak")
            running.closeInput()
            let finished = tool.finish()
            let report = try MemLeakResult(finished)
            #expect(finished.status == 0)
            #expect(report.sum("leak_me") == [50_000, 500])
            #expect(finished.errors == "pid \(running.pid) has ended\n")
        }

        @Test("a cgroup: who is in it, who joins by fork, nobody else")
        func cgroup() throws {
            let root = Live.unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"
            let directory = "\(root)/swiftmem-memleak-\(getpid())"
            guard mkdir(directory, 0o755) == 0 else {
                if Live.required { Issue.record("no cgroup can be made at \(directory)") }
                return
            }
            guard let inside = try steps(), let outside = try steps() else { return }
            try "\(inside.pid)".write(toFile: directory + "/cgroup.procs", atomically: false, encoding: .utf8)
            let (tool, _) = try Tool.tracing(["memleak", "--cgroup", directory, "-o", "0", "-T", "1000", "1000"])
            for running in [inside, outside] {
                try step(running, "leak")
                try step(running, "fork")
            }
            let report = try MemLeakResult(tool.stop(SIGINT))
            let pids = Set(report.stacks.compactMap { $0.int("pid") })
            #expect(report.sum("leak_me", pid: Int(inside.pid)) == [50_000, 500])
            #expect(report.sum("leak_in_child") == [2000, 200])
            #expect(pids.count == 2 && !pids.contains(Int(outside.pid)))
            #expect(report.losses == 0, "\(report.lost)")
            Live.record(
                "memleak", "-", "cgroup \(Live.unified ? "v2" : "v1")", report.sum("leak_in_child") == [2000, 200], "")
            for running in [inside, outside] { _ = running.stop(SIGKILL) }
            usleep(100_000)
            rmdir(directory)
        }

        @Test("a fork server: the children's blocks are theirs, what they inherited the server's")
        func forkServer() throws {
            guard let program = try Fixture.server.path() else { return }
            for rung in try MemLeakTool.someRungs() {
                let server = try Running(URL(fileURLWithPath: "/bin/sh"), ["-c", "read _; exec \(program)"])
                let (tool, _) = try Tool.tracing(
                    ["memleak", "--follow", "-p", "\(server.pid)", "-o", "0", "-T", "1000", "1000"],
                    environment: MemLeakTool.environment(rung))
                server.send("\n")
                _ = try server.object("done")
                let report = try MemLeakResult(tool.stop(SIGINT))
                #expect(report.sum("leak_in_server", pid: Int(server.pid)) == [25_600, 200], "\(rung)")
                #expect(report.sum("leak_in_child") == [19_200, 300], "\(rung)")
                #expect(report.losses == 0, "\(report.lost)")
                Live.record(
                    "memleak", "allocators/\(rung)", "fork server", report.sum("leak_in_child") == [19_200, 300],
                    "\(report.sum("leak_in_server"))")
                server.closeInput()
            }
        }
    }
}

/// A directory that holds a program and musl, and nothing else; removed with its owner.
final class ContainerRoot {
    let path: String

    init(program: String) throws {
        path = "\(NSTemporaryDirectory())/memleak-root-\(UInt32.random(in: 0 ... .max))"
        for directory in ["lib", "usr/lib/debug/.build-id"] {
            try FileManager.default.createDirectory(atPath: "\(path)/\(directory)", withIntermediateDirectories: true)
        }
        try FileManager.default.copyItem(atPath: program, toPath: "\(path)/steps")
        #if arch(arm64)
            let machine = "aarch64"
        #else
            let machine = "x86_64"
        #endif
        try FileManager.default.copyItem(
            atPath: "/usr/lib/\(machine)-linux-musl/libc.so", toPath: "\(path)/lib/ld-musl-\(machine).so.1")
    }

    /// Starts the program in it; the pid is this side's.
    func start(_ contain: String) throws -> (Running, pid: Int32) {
        let running = try Running(URL(fileURLWithPath: contain), [path, "/steps"])
        // one line is the container's, the other its first process's
        let lines = try (running.line(), running.line())
        let all = Finished(status: 0, output: "\(lines.0)\n\(lines.1)\n", errors: "")
        guard let pid = all.objects(ofType: "contained").first?.int("pid"), !all.objects(ofType: "ready").isEmpty else {
            throw HarnessError(description: "no container: \(lines)")
        }
        return (running, Int32(pid))
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
