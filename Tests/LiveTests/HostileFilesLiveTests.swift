// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// Files of another user's process that are made to cost whoever reads them: Tests/Hostile/generate. Each costs its
    /// process what is said, the run next to nothing, and no other process anything.
    @Suite(
        .serialized, .exercises("memleak"),
        .disabled(if: Live.inMatrix, "Python makes the files, and a guest has none"))
    struct HostileFiles {
        /// What becomes of the files of one kind: of each, what is left out, and why.
        struct Kind: CustomTestStringConvertible, Sendable {
            let name: String
            var options: [String] = []
            var files = 1
            var leftOut: [String: String] = [:]
            var testDescription: String { name }

            init(_ name: String, lines: Bool = false, files: Int = 1, _ leftOut: [String: String] = [:]) {
                self.name = name
                options = lines ? ["--lines"] : []
                self.files = files
                self.leftOut = leftOut
            }
        }

        static let kinds: [Kind] = [
            Kind("aliases"), Kind("cfi-advance"), Kind("cfi-compressed", ["unwinding": "memory"]), Kind("cfi-entries"),
            Kind("cfi-quadratic", ["unwinding": "memory"]), Kind("cfi-register"), Kind("cfi-remember"),
            Kind("debugdata-bomb", ["allocators": "memory", "names": "memory"]), Kind("debuglink-device"),
            Kind("debuglink-fifo"),
            Kind("debuglink-sparse", ["names": "memory"]), Kind("debuglink-large", ["names": "time"]),
            Kind("dwarf-lines", lines: true, ["lines": "memory"]),
            Kind("dwarf-zeros", lines: true, ["lines": "memory"]),
            Kind("dwarf-zstd", lines: true, ["lines": "memory"]),
            Kind("malloc-beyond", ["allocators": "refused"]), Kind("malloc-invalid", ["allocators": "refused"]),
            Kind("malloc-one-invalid", ["allocators": "refused"]), Kind("many-mallocs", ["allocators": "too_many"]),
            Kind("overlapping-names"),
            Kind("program-headers", ["allocators": "memory", "unwinding": "memory", "names": "memory"]),
            Kind("section-headers", ["allocators": "memory", "unwinding": "memory", "names": "memory"]),
            Kind("sparse-sections", files: 8, ["allocators": "memory", "names": "memory"]), Kind("sparse-text"),
        ]

        /// A directory of files of one kind, that everybody may read; removed with it.
        final class Files {
            let directory: String
            let paths: [String]

            /// - Parameter directory: of files made before, which are written anew.
            init(_ kind: String, in known: String? = nil) throws {
                directory = known ?? "/tmp/swiftmem-hostile-\(UInt32.random(in: 0 ... .max))"
                let generator = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                    .deletingLastPathComponent().appendingPathComponent("Hostile/generate").path
                let made = try Tool.shell("umask 022; python3 '\(generator)' \(kind) \(directory)")
                try #require(made.status == 0, "\(made.errors)")
                paths = made.lines
            }

            deinit { try? FileManager.default.removeItem(atPath: directory) }
        }

        /// A process of nobody's that takes steps.
        static func nobody() throws -> Steps {
            let options = ["--reuid", "65534", "--regid", "65534", "--clear-groups"]
            let running = try Running("/usr/bin/setpriv", options + [Fixture.steps.path()])
            try running.row(ReadyRow.self)
            return Steps(running)
        }

        /// What a run has taken so far, with the processes that interpret files for it.
        struct Cost {
            let megabytes: Int
            let seconds: Double

            init(of pid: Int32) throws {
                let all = try ([pid] + Parsers.children(of: pid)).map { try Cost(alone: $0) }
                megabytes = all.reduce(0) { $0 + $1.megabytes }
                seconds = all.reduce(0) { $0 + $1.seconds }
            }

            private init(alone pid: Int32) throws {
                let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
                let peak = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
                megabytes = try #require(peak.split(separator: " ").dropFirst().first.flatMap { Int($0) }) >> 10
                let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
                let fields = try #require(stat.split(separator: ")").last).split(separator: " ")
                seconds = Double((Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0)) / Double(sysconf(Int32(_SC_CLK_TCK)))
            }
        }

        /// Traces a process while it leaks what is known.
        static func trace(
            _ steps: Steps, _ options: [String] = [], environment: [String: String] = [:]
        ) throws -> (MemLeakResult, Cost) {
            let tool = try Tool.tracing(
                ["memleak", "-p", "\(steps.pid)", "-o", "0", "-T", "1000"] + options + ["1000"],
                environment: environment
            ).tool
            try steps.step("leak")
            // its start is over when it has made a report
            tool.signal(SIGUSR1)
            _ = try tool.row(MemLeakSummaryRow.self)
            let cost = try Cost(of: tool.pid)
            let report = try MemLeakResult(tool.stop(SIGINT))
            steps.end()
            // twenty thousand threads take a while to go, and count among their user's processes until then
            _ = steps.running.finish()
            return (report, cost)
        }

        /// The same, with no table kept from earlier runs.
        private func trace(_ steps: Steps, _ options: [String]) throws -> (MemLeakResult, Cost) {
            try Self.trace(steps, options, environment: ["SWIFTMEM_UNWIND_CACHE": "none"])
        }

        @Test("64 MiB and 2 s more than without, at most; nothing of the process itself is lost", arguments: kinds)
        func bounds(kind: Kind) throws {
            let files = try Files(kind.name)
            #expect(files.paths.count == kind.files)
            let own = try trace(Self.nobody(), kind.options).1
            let steps = try Self.nobody()
            for path in files.paths { try steps.step("map \(path)") }
            let (report, cost) = try trace(steps, kind.options)
            TestRecord.note("\(cost.megabytes) MiB, \(cost.seconds) s; own \(own.megabytes) MiB, \(own.seconds) s")
            #expect(cost.megabytes <= own.megabytes + 64)
            #expect(cost.seconds <= own.seconds + 2.2 * Double(kind.files))
            #expect(report.status == 0)
            report.expect("leak_me", [50_000, 500])
            report.expectWhole()
            var expected: Set<[String]> = []
            for path in files.paths {
                for (part, reason) in kind.leftOut { expected.insert([path, part, reason]) }
            }
            let leftOut = Set((report.summary.leftOut ?? []).map { [$0.file, $0.part, $0.reason] })
            #expect(leftOut == expected)
            #expect(report.summary.filesLeftOut == expected.count)
        }

        @Test("a file that can't be opened, for its process holds a lease on it: said, and traced when it has let go")
        func lease() throws {
            let files = try Files("heap"), steps = try Self.nobody()
            _ = try Tool.shell("chown -R 65534 \(files.directory)")
            try steps.step("lease \(files.paths[0])")
            let (report, _) = try trace(steps, [])
            let left = try #require(report.summary.leftOut)
            #expect(Set(left.map(\.part)) == ["allocators", "unwinding", "names"])
            #expect(left.allSatisfy { $0.file == files.paths[0] && $0.reason == "unreadable" })
            report.expect("leak_me", [50_000, 500])
        }

        @Test("a library written anew at the same inode: attached to anew")
        func replaced() throws {
            let files = try Files("heap"), steps = try Self.nobody()
            try steps.step("map \(files.paths[0])")
            let tool = try Tool.tracing(["memleak", "-p", "\(steps.pid)", "1"]).tool
            func hooked() throws -> String {
                while true {
                    let row = try tool.row(MemLeakHookedRow.self)
                    if row.file == files.paths[0] { return row.file }
                }
            }
            _ = try hooked()
            let moved = try Files("heap-moved", in: files.directory)
            #expect(try hooked() == moved.paths[0])
            let report = try MemLeakResult(tool.stop(SIGINT))
            steps.end()
            #expect(report.summary.filesLeftOut == 0)
        }

        /// A perf map that leads elsewhere.
        enum PerfMap: CaseIterable { case link, pipe, device, endless, othersOwn }

        @Test(
            "a perf map that is a link, a FIFO, a device, 128 MiB, another's: nothing of it is read or waited for",
            arguments: PerfMap.allCases)
        func perfMap(kind: PerfMap) throws {
            let steps = try Self.nobody()
            let path = "/tmp/perf-\(steps.pid).map"
            defer { unlink(path) }
            let make =
                switch kind {
                case .link: "ln -s /proc/kmsg \(path); chown -h 65534 \(path)"
                case .pipe: "mkfifo \(path); chown 65534 \(path)"
                case .device: "mknod \(path) c 1 5; chown 65534 \(path)"
                case .endless: "yes '1 1 a' | head -c 134000000 >\(path); chown 65534 \(path)"
                case .othersOwn: "echo '1 1 a' >\(path)"
                }
            let made = try Tool.shell(make)
            #expect(made.status == 0, "\(made.errors)")
            let own = try trace(Self.nobody(), []).1
            let (report, cost) = try trace(steps, [])
            report.expect("leak_me", [50_000, 500])
            #expect(cost.megabytes <= own.megabytes + 64)
            #expect(cost.seconds <= own.seconds + 2.2)
            let left = try #require(report.summary.leftOut)
            #expect(left.map(\.part) == (kind == .endless ? ["names"] : []))
            TestRecord.note("\(kind): \(cost.megabytes) MiB, \(cost.seconds) s")
        }

        @Test("a signal ends a run while it reads such a file")
        func signal() throws {
            let files = try Files("debuglink-large"), steps = try Self.nobody()
            try steps.step("map \(files.paths[0])")
            let tool = try Tool.tracing(["memleak", "-p", "\(steps.pid)", "1000"]).tool
            usleep(200_000)
            let began = Date()
            let finished = tool.stop(SIGINT)
            let took = Date().timeIntervalSince(began)
            steps.end()
            #expect(finished.status == 0)
            #expect(took < 1, "\(took) s")
        }

        @Test(
            "a process that ends while it is looked at, and another with its number: not traced in its place",
            arguments: [20, 60, 200])
        func numberGivenAgain(milliseconds: UInt32) throws {
            let last = "/proc/sys/kernel/ns_last_pid"
            guard access(last, W_OK) == 0 else { throw Live.lacking("no number of a process can be chosen here") }
            let files = try Files("debuglink-large"), steps = try Self.nobody(), pid = steps.pid
            try steps.step("map \(files.paths[0])")
            let tool = try Running(Tool.binary, ["memleak", "-p", "\(pid)", "-o", "0", "1", "3"])
            usleep(milliseconds * 1000)
            _ = steps.running.stop(SIGKILL)
            var other: Steps?
            for _ in 0..<100 where other?.pid != pid {
                _ = other?.running.stop(SIGKILL)
                try "\(pid - 1)".write(toFile: last, atomically: false, encoding: .utf8)
                other = try Steps()
            }
            let successor = try #require(other)
            try #require(successor.pid == pid, "nobody else may start processes meanwhile")
            try successor.step("leak")
            let finished = tool.finish()
            _ = successor.running.stop(SIGKILL)
            #expect(!finished.output.contains("leak_me"), "\(finished.output)")
            #expect(finished.status == 0 || finished.status == 64)
            #expect(finished.errors.contains("\(pid) has ended") || finished.errors.contains("no process"))
            TestRecord.note("\(milliseconds) ms: \(finished.status) \(finished.errors)")
        }

        @Test("a cgroup of nine and one with every file: nine exact, one counted")
        func cgroup() throws {
            let directory = "\(Live.memoryCgroups)/swiftmem-hostile-\(getpid())"
            guard mkdir(directory, 0o755) == 0 else { throw Live.lacking("no cgroup can be made at \(directory)") }
            let files = try Self.kinds.map { try Files($0.name) }
            let honest = try (0..<9).map { _ in try Steps() }, hostile = try Self.nobody()
            for path in files.flatMap(\.paths) { try hostile.step("map \(path)") }
            for steps in honest + [hostile] {
                try "\(steps.pid)".write(toFile: directory + "/cgroup.procs", atomically: false, encoding: .utf8)
            }
            let tool = try Tool.tracing(
                ["memleak", "--cgroup", directory, "-o", "0", "-T", "1000", "1000"],
                environment: ["SWIFTMEM_UNWIND_CACHE": "none"]
            ).tool
            for steps in honest + [hostile] { try steps.step("leak") }
            tool.signal(SIGUSR1)
            _ = try tool.row(MemLeakSummaryRow.self)
            let cost = try Cost(of: tool.pid)
            let report = try MemLeakResult(tool.stop(SIGINT))
            for steps in honest + [hostile] { _ = steps.running.stop(SIGKILL) }
            usleep(100_000)
            rmdir(directory)
            TestRecord.note("\(cost.megabytes) MiB, \(cost.seconds) s")
            for steps in honest { report.expect("leak_me", pid: Int(steps.pid), [50_000, 500]) }
            // named or not, it is counted
            let own = report.stacks.filter { $0.pid == Int(hostile.pid) && $0.bytes == 50_000 && $0.count == 500 }
            #expect(own.count == 1)
            #expect(report.losses == 0, "\(report.lost)")
            #expect(cost.megabytes <= 128)
            #expect(cost.seconds <= 14)
            let paths = Set(files.flatMap(\.paths))
            #expect(report.summary.leftOut?.allSatisfy { paths.contains($0.file) } == true)
        }
    }
}
