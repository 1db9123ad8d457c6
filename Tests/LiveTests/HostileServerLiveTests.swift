// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// Files that a program of another user's serves (FUSE), and which are never answered for any more: who asks for one
    /// waits for ever, and no signal helps. Tests/Hostile/serve.
    @Suite(
        .serialized, .exercises("memleak"),
        .disabled(if: Live.inMatrix, "Python serves the files, and a guest has none"))
    struct HostileServers {
        /// A served file, for as long as this is there.
        final class Server {
            private let running: Running
            private let source: HostileFiles.Files
            let directory: String
            let path: String

            init(_ kind: String) throws {
                guard access("/dev/fuse", R_OK) == 0 else { throw Live.lacking("this kernel has no FUSE") }
                source = try HostileFiles.Files(kind)
                directory = source.directory + "-served"
                #expect(mkdir(directory, 0o755) == 0)
                let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                    .appendingPathComponent("Hostile/serve").path
                running = try Running("/usr/bin/python3", [script, source.paths[0], directory])
                path = try running.line()
            }

            /// From now on nothing is answered.
            func fallSilent() {
                running.send("silence\n")
                usleep(100_000)
            }

            deinit {
                running.closeInput()
                _ = running.finish()
                rmdir(directory)
            }
        }

        private func expectLeftOut(_ report: MemLeakResult, _ path: String) {
            report.expect("leak_me", [50_000, 500])
            report.expectWhole()
            let left = Set((report.summary.leftOut ?? []).map { [$0.file, $0.part, $0.reason] })
            #expect(left == Set(["allocators", "unwinding", "names"].map { [path, $0, "served"] }))
        }

        @Test("mapped, and its server silent: left out and said; the process itself is traced whole")
        func mapped() throws {
            let server = try Server("heap"), steps = try HostileFiles.nobody()
            try steps.step("map \(server.path)")
            server.fallSilent()
            expectLeftOut(try HostileFiles.trace(steps).0, server.path)
        }

        @Test("the same, mounted nowhere any more")
        func unmounted() throws {
            let server = try Server("heap"), steps = try HostileFiles.nobody()
            try steps.step("map \(server.path)")
            server.fallSilent()
            let unmounted = try Tool.shell("umount -l \(server.directory)")
            #expect(unmounted.status == 0, "\(unmounted.errors)")
            // its path begins at the root of a file system that has none
            let report = try HostileFiles.trace(steps).0
            report.expect("leak_me", [50_000, 500])
            report.expectWhole()
            #expect(report.summary.leftOut?.map(\.reason) == ["served", "served", "served"])
        }

        @Test("mapped while the trace runs")
        func later() throws {
            let server = try Server("heap"), steps = try HostileFiles.nobody()
            let tracer = try Tool.tracing(["memleak", "-p", "\(steps.pid)", "-o", "0", "-T", "1000", "1000"]).tool
            // mapped while it is traced, silent before it is looked at: the tick after meets it
            try steps.step("map \(server.path)")
            server.fallSilent()
            try steps.step("leak")
            sleep(2)
            let began = Date()
            let report = try MemLeakResult(tracer.stop(SIGINT))
            #expect(Date().timeIntervalSince(began) < 3)
            steps.end()
            _ = steps.running.finish()
            report.expect("leak_me", [50_000, 500])
        }

        @Test("a debug link that leads there: not followed")
        func debugLink() throws {
            let server = try Server("heap"), steps = try HostileFiles.nobody()
            let linked = try HostileFiles.Files("debuglink-fifo")
            // nothing but the link is in the way
            unlink(linked.directory + "/pipe.debug")
            #expect(symlink(server.directory, linked.directory + "/.debug") == 0)
            try steps.step("map \(linked.paths[0])")
            server.fallSilent()
            let report = try HostileFiles.trace(steps).0
            report.expect("leak_me", [50_000, 500])
            report.expectWhole()
            #expect(report.summary.leftOut?.isEmpty == true)
        }
    }
}
