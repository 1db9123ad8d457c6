// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// memleak while others trace the same libraries: the kernel replaces return addresses for each of them.
    @Suite(.serialized, .exercises("memleak")) struct MemLeakTracers {
        /// Who traces besides.
        enum Others: String, CaseIterable, CustomTestStringConvertible {
            case nobody, ourOwn = "our own", fourOfOurs = "four of our own", bpftrace
            case libbpfTools = "libbpf-tools' memleak"
            var testDescription: String { rawValue }

            static var here: [Others] { Live.inMatrix ? [.nobody, .ourOwn] : allCases }
        }

        /// One function of each kind, at its entry and its return, of whoever calls it.
        private static let script: String = {
            let probes = ["malloc", "calloc", "realloc", "free", "posix_memalign", "mmap"].map {
                "uprobe:libc:\($0) { @entries = count(); } uretprobe:libc:\($0) { @returns = count(); }"
            }
            return #"BEGIN { printf("ready\n"); } "# + probes.joined(separator: " ")
        }()

        /// Starts another tracer and waits for the line that comes once it traces: among its first ten.
        private func started(_ path: String, _ arguments: [String], line words: String) throws -> Running {
            let other = try Running("/usr/bin/stdbuf", ["-oL", path] + arguments)
            for _ in 0..<10 where try other.line().contains(words) { return other }
            throw HarnessError(description: "\(path) does not say that it traces")
        }

        private func start(_ others: Others, _ sleeper: Running) throws -> [Running] {
            switch others {
            case .nobody: return []
            case .ourOwn, .fourOfOurs:
                let rungs = try MemLeakTool.rungs()
                return try (0..<(others == .ourOwn ? 1 : 4)).map {
                    try MemLeakTool.follow(sleeper.pid, rung: rungs[$0 % rungs.count])
                }
            case .bpftrace:
                guard FileManager.default.isExecutableFile(atPath: "/usr/bin/bpftrace") else {
                    throw Unsupported("no bpftrace here")
                }
                return [try started("/usr/bin/bpftrace", ["-B", "line", "-e", Self.script], line: "ready")]
            case .libbpfTools:
                guard FileManager.default.isExecutableFile(atPath: "/usr/sbin/memleak") else {
                    throw Unsupported("no libbpf-tools here")
                }
                return [try started("/usr/sbin/memleak", ["-p", "\(sleeper.pid)", "1"], line: "Top")]
            }
        }

        @Test("to the byte, with whole stacks, whoever else traces", arguments: Others.here, try MemLeakTool.rungs())
        func exact(others: Others, rung: String) throws {
            let sleeper = try Running("/bin/sleep", ["1000"])
            let tracers = try start(others, sleeper)
            defer { for other in tracers + [sleeper] { _ = other.stop(SIGKILL) } }
            let report = try MemLeakTool.trace(rung, [try Fixture.beside.path()])
            for (function, want) in [
                ("leak_malloc", [50_000, 500]), ("leak_calloc", [12_000, 300]), ("leak_realloc", [18_000, 200]),
                ("leak_aligned", [25_600, 100]), ("leak_large", [3 << 20, 3]), ("leak_none", [0, 0]),
                ("leak_mapped", [4 * 12288, 4]), ("free_first", [0, 0]), ("free", [0, 0]),
            ] { report.expect(function, want) }
            #expect(report.stacks.allSatisfy { $0.stackEnd == "whole" }, "\(report.stacks)")
            report.expectWhole()
        }

        @Test(
            "exceptions leave operator new while another memleak traces a process with the same library",
            arguments: try MemLeakTool.rungs())
        func exceptions(rung: String) throws {
            let program = try Fixture.throwing.path()
            let waiting = try Running(program, ["wait"])
            let other = try MemLeakTool.follow(waiting.pid)
            defer { for running in [other, waiting] { _ = running.stop(SIGKILL) } }
            let report = try MemLeakTool.trace(rung, [program], options: ["--exit-status"])
            #expect(report.status == 42)
            #expect(report.summary.failedCalls == 200)
            report.expectWhole()
        }
    }
}
