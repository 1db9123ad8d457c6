// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// The processes that interpret files: what they can't do, and what becomes of a run when they end.
    @Suite(.serialized, .exercises("memleak")) struct Parsers {
        /// How an attempt ends: by a signal, or refused with an errno.
        enum End: Equatable { case signal(Int32), refused(Int32) }

        static let attempts: [(what: String, end: End)] = [
            ("open", .refused(EACCES)), ("openat2", .signal(SIGSYS)), ("socket", .signal(SIGSYS)),
            ("connect", .signal(SIGSYS)), ("fork", .signal(SIGSYS)), ("exec", .signal(SIGSYS)),
            ("ptrace", .signal(SIGSYS)), ("kill", .signal(SIGSYS)), ("read-process", .signal(SIGSYS)),
            ("write", .refused(EBADF)), ("code", .signal(SIGSYS)), ("map-file", .signal(SIGSYS)),
            ("memory", .refused(ENOMEM)), ("memfd", .signal(SIGSYS)), ("limit", .refused(EPERM)),
            ("user", .signal(SIGSYS)), ("namespace", .signal(SIGSYS)), ("bpf", .signal(SIGSYS)),
            ("dump", .signal(SIGSYS)), ("crash", .signal(SIGSEGV)), ("spin", .signal(SIGKILL)),
        ]

        private func end(_ running: Running) -> End {
            let status = running.finish().status
            return status < 0 ? .signal(-status) : .refused(status)
        }

        @Test("what it must not do it can't, as root and as anybody", arguments: attempts.map(\.what))
        func attempt(what: String) throws {
            let expected = try #require(Self.attempts.first { $0.what == what }?.end)
            let words = ["parse-files", "--try", what]
            #expect(end(try Running(Tool.binary, words)) == expected)
            let nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups", Tool.binary.path]
            #expect(end(try Running("/usr/bin/setpriv", nobody + words)) == expected)
        }

        @Test("a path leads nowhere, for its root is empty")
        func root() throws {
            // before 5.14 the directory that is its root is its owner's alone (7bc3fa0172a4, "procfs: allow reading fdinfo …")
            let end = end(try Running(Tool.binary, ["parse-files", "--try", "stat"]))
            #expect(end == .refused(ENOENT) || end == .refused(EACCES))
        }

        @Test("an attempt of no name, and no socket to be asked by: ends")
        func alone() throws {
            #expect(end(try Running(Tool.binary, ["parse-files", "--try", "nothing"])) == .refused(64))
            #expect(end(try Running(Tool.binary, ["parse-files"])) == .refused(0))
        }

        /// Children of a process.
        static func children(of pid: Int32) throws -> [Int32] {
            let text = try String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
            return text.split(separator: " ").compactMap { Int32($0) }
        }

        /// Those of them that interpret files, in the order of their starts, and the one that they are forked from.
        static func parsers(of pid: Int32) throws -> (serving: [Int32], server: Int32?) {
            let named = try children(of: pid).map { child in
                (child, try String(contentsOfFile: "/proc/\(child)/comm", encoding: .utf8))
            }
            return (
                named.filter { $0.1 == "swiftmem-parser\n" }.map(\.0), named.first { $0.1 == "swiftmem-forker\n" }?.0
            )
        }

        /// A process of `user` that leaks in another C++ function with each step, the file its own.
        private final class Named {
            let steps: Steps
            let file: String

            init(user: Int32 = 65534) throws {
                file = "/tmp/swiftmem-names-\(UInt32.random(in: 0 ... .max))"
                try FileManager.default.copyItem(atPath: Fixture.names.path(), toPath: file)
                _ = chown(file, UInt32(user), UInt32(user))
                let running = try Running(
                    "/usr/bin/setpriv", ["--reuid", "\(user)", "--regid", "\(user)", "--clear-groups", file])
                try running.row(ReadyRow.self)
                steps = Steps(running)
            }

            deinit { unlink(file) }

            func step(_ count: Int) throws { for _ in 0..<count { try steps.step("next") } }
        }

        /// Names of `shop` in the report that is asked for now, and its summary.
        private func report(_ tool: Running) throws -> (names: Set<String>, summary: MemLeakSummaryRow) {
            tool.signal(SIGUSR1)
            var names: Set<String> = []
            while true {
                let line = try tool.line()
                if let row = try MemLeakRow(line: line) {
                    names.formUnion((row.frames ?? []).compactMap(\.symbol).filter { $0.contains("Basket") })
                }
                if let summary = try MemLeakSummaryRow(line: line) { return (names, summary) }
            }
        }

        private func name(_ number: Int) -> String { "shop::Basket<\(number)>::fill(int)" }

        @Test("it has a user of its own, no capability, no file but its socket; another is for the system's own files")
        func shutIn() throws {
            let named = try Named(), tool = try MemLeakTool.follow(named.steps.pid)
            try named.step(1)
            #expect(try report(tool).names == [name(0)])
            let (children, server) = try Self.parsers(of: tool.pid)
            // one for the system's own files, one for the program
            #expect(children.count == 2)
            let forker = try String(contentsOfFile: "/proc/\(try #require(server))/status", encoding: .utf8)
            // to set the user and the group, and to change the root
            #expect(forker.contains("CapPrm:\t00000000000400c0\nCapEff:\t00000000000400c0\n"))
            #expect(forker.contains("NoNewPrivs:\t1\n"))
            var users: Set<Substring> = []
            for child in children {
                let status = try String(contentsOfFile: "/proc/\(child)/status", encoding: .utf8)
                func field(_ name: String) -> [Substring] {
                    status.split(separator: "\n").first { $0.hasPrefix(name + ":") }?
                        .split(whereSeparator: { $0 == "\t" || $0 == " " }).dropFirst().map { $0 } ?? []
                }
                #expect(field("CapPrm") == ["0000000000000000"] && field("CapEff") == ["0000000000000000"])
                #expect(field("NoNewPrivs") == ["1"] && field("Seccomp") == ["2"] && field("Groups") == [])
                #expect(Set(field("Gid")).count == 1)
                #expect(UInt32(field("Uid").first ?? "") ?? 0 >= 0x7fff_0000)
                users.formUnion(field("Uid").prefix(1))
                let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(child)/fd").sorted()
                #expect(open.count <= 6 && open.prefix(4) == ["0", "1", "2", "3"], "\(open)")
                TestRecord.note("\(field("VmHWM"))")
            }
            #expect(users.count == children.count, "\(users)")
            _ = tool.stop(SIGINT)
            named.steps.end()
            // they end with it
            for child in children + [server].compactMap({ $0 }) {
                for _ in 0..<200 where kill(child, 0) == 0 { usleep(10_000) }
                #expect(kill(child, 0) != 0)
            }
        }

        @Test("killed between two questions, with what it is forked from: nothing is missing, nothing is said")
        func killedIdle() throws {
            let named = try Named(), tool = try MemLeakTool.follow(named.steps.pid)
            for number in 0..<3 {
                try named.step(1)
                let (names, summary) = try report(tool)
                #expect(names.contains(name(number)), "\(names)")
                #expect(summary.filesLeftOut == 0, "\(summary.leftOut ?? [])")
                for child in try Self.children(of: tool.pid) { kill(child, SIGKILL) }
                // until they are dead
                usleep(300_000)
            }
            #expect(tool.stop(SIGINT).status == 0)
            named.steps.end()
        }

        /// Traces it, and stops the processes that interpret files which are not the system's, its own among them, while that
        /// is asked for the name of the second step.
        private func stopped(_ named: Named, _ others: [String] = []) throws -> (tool: Running, parsers: [Int32]) {
            let tool = try MemLeakTool.follow(named.steps.pid, others)
            try named.step(1)
            #expect(try report(tool).names == [name(0)])
            // the system's own files were asked for first
            let parsers = Array(try Self.parsers(of: tool.pid).serving.dropFirst())
            try #require(!parsers.isEmpty)
            for parser in parsers { kill(parser, SIGSTOP) }
            try named.step(1)
            tool.signal(SIGUSR1)
            usleep(1_000_000)
            return (tool, parsers)
        }

        @Test("killed while it is asked: that report is made and says so; the next one has all names")
        func killedBusy() throws {
            let named = try Named(), (tool, parsers) = try stopped(named)
            for parser in parsers { kill(parser, SIGKILL) }
            var names: Set<String> = []
            var summary: MemLeakSummaryRow?
            while summary == nil {
                let line = try tool.line()
                if let row = try MemLeakRow(line: line) { names.formUnion((row.frames ?? []).compactMap(\.symbol)) }
                summary = try MemLeakSummaryRow(line: line)
            }
            // it is asked for again in the same report, of the process that comes after; or it stays as linked
            #expect(names.contains("_ZN4shop6BasketILi1EE4fillEi") || names.contains(name(1)), "\(names)")
            #expect(names.contains(name(0)), "\(names)")
            let left = try #require(summary?.leftOut)
            #expect(left.map(\.part) == ["names"] && left.map(\.reason) == ["parser"])
            #expect(left.allSatisfy { $0.file.hasSuffix(named.file) }, "\(left)")
            #expect(try report(tool).names == [name(0), name(1)])
            #expect(tool.stop(SIGINT).status == 0)
            named.steps.end()
        }

        @Test("a signal ends a run at once whose question is not answered")
        func signal() throws {
            let named = try Named(), (tool, _) = try stopped(named)
            let began = Date()
            let finished = tool.stop(SIGINT)
            let took = Date().timeIntervalSince(began)
            #expect(finished.status == 0 && took < 3, "\(took) s")
            // the last report has what the one before could not have
            #expect(try MemLeakResult(finished).sum(name(1)) == [1000, 100])
            TestRecord.note("\(took) s")
            named.steps.end()
        }

        @Test("while it is asked, what the processes map is taken in: more than a ring holds, and none is lost")
        func meanwhile() throws {
            let named = try Named(), mapping = Steps(try Running(Fixture.steps.path()))
            try mapping.running.row(ReadyRow.self)
            let (tool, parsers) = try stopped(named, ["-p", "\(mapping.pid)"])
            // it is ended when it has stood still for five seconds
            let began = Date()
            try mapping.step("map-often")
            let took = Date().timeIntervalSince(began)
            for parser in parsers { kill(parser, SIGKILL) }
            _ = try tool.row(MemLeakSummaryRow.self)
            let report = try MemLeakResult(tool.stop(SIGINT))
            #expect(report.sum("map_page") == [300 * Int(getpagesize()), 300])
            #expect(report.summary.losses["ring_full"] == 0)
            TestRecord.note("\(took) s")
            named.steps.end()
            mapping.end()
        }
    }
}
