// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// memleak against workload-leaker, whose truth is what it printed itself.
    @Suite(.serialized, .exercises("memleak")) struct MemLeaks {
        static let leaker = Workload.path("leaker")

        private func check(_ report: MemLeakResult) throws {
            let truth = try #require(report.truth)
            // kinds may share a function
            var wanted: [String: [Int]] = [:]
            for kind in truth.kinds {
                let place = kind.function == "leak_in_thread" ? "leak_here" : kind.function
                let sofar = wanted[place] ?? [0, 0]
                wanted[place] = [sofar[0] + kind.outstandingBytes, sofar[1] + kind.outstandingCount]
            }
            #expect(!wanted.isEmpty)
            for (place, want) in wanted { report.expect(place, want) }
            report.expectWhole()
        }

        /// Where probes are placed: as usual, and at the entries.
        struct Placement: Sendable, CustomTestStringConvertible {
            let rung: String
            let placement: String

            var testDescription: String { placement.isEmpty ? rung : "\(rung), \(placement)" }

            /// A guest is slow: probes at the entries once.
            static func all() throws -> [Placement] {
                try MemLeakTool.rungs().flatMap { rung in
                    let once = try Live.inMatrix && rung != MemLeakTool.bestRung()
                    return (once ? [""] : ["", "entry"]).map { Placement(rung: rung, placement: $0) }
                }
            }
        }

        static let kinds: [String] = {
            let most =
                "malloc,calloc,realloc,memalign,posix_memalign,aligned_alloc,valloc,strdup,mmap,mmap-part,realloc-chain,failed"
            // a guest is slow: all in one run there
            return Live.inMatrix
                ? [most + ",big,cross-free,new-thread-first"] : [most, "big", "cross-free", "new-thread-first"]
        }()

        @Test("each function of the list, exactly", .tags(.brief), arguments: try Placement.all(), kinds)
        func functions(placement: Placement, kinds: String) throws {
            try check(
                MemLeakTool.trace(
                    placement.rung, [Self.leaker, "--kind", kinds, "--count", Live.inMatrix ? "50" : "200"],
                    environment: ["SWIFTMEM_PLACEMENT": placement.placement]))
        }

        @Test(
            "calls that fail are counted as such, and leave no allocation", arguments: try MemLeakTool.someRungs())
        func failures(rung: String) throws {
            let report = try MemLeakTool.trace(rung, [Self.leaker, "--kind", "failed", "--count", "100"])
            #expect(report.summary.failedCalls == 600)
            report.expect("leak_failed", [10_000, 100])
        }

        @Test("eight threads at once", arguments: try MemLeakTool.rungs())
        func threads(rung: String) throws {
            for _ in 0..<(Live.inMatrix ? 1 : 3) {
                try check(MemLeakTool.trace(rung, [Self.leaker, "--threads", "8", "--count", "500"]))
            }
        }

        @Test("a thousand leaks of 100 bytes among a million freed blocks")
        func needle() throws {
            let pairs = Live.fileMegabytes < 100 ? "0" : "1"
            let report = try MemLeakTool.trace(
                nil, [Self.leaker, "--churn", pairs])
            report.expect("leak_here", [100_000, 1000])
            report.expect("churn_here", [0, 0])
        }

        @Test("the state of threads kept by their ids", .tags(.brief))
        func byID() throws {
            let report = try MemLeakTool.trace(
                "perf,memleak.threads=by_id", [Self.leaker, "--threads", "8", "--count", "200"])
            report.expect("leak_here", [160_000, 1600])
        }

        @Test("one in ten at random: the estimate is right, and called one")
        func sampling() throws {
            let report = try MemLeakTool.trace(
                nil, [Self.leaker, "--count", "20000"],
                options: ["-s", "10"])
            let sum = report.sum("leak_here")
            // a binomial's six sigma around 20000
            #expect(abs(sum[1] - 20_000) < 6 * 425)
            #expect(sum[0] == sum[1] * 100)
            #expect(
                report.stacks.filter { $0.count > 1000 }.allSatisfy { $0.estimated })
            #expect(try #require(report.summary.sampledOut) > 17_000)
        }

        @Test("sampled by bytes: the estimate and its error are right, large blocks are never missed", .tags(.brief))
        func byteSampling() throws {
            let options = ["--sample-bytes", "4K"]
            let report = try MemLeakTool.trace(
                nil, [Self.leaker, "--kind", "malloc", "--count", "20000"], options: options)
            // 20000 × 100 bytes, each recorded with p = 1 - exp(-100 / 4096)
            let row = try #require(report.stacks.first { $0.bytes > 1_000_000 })
            let bytes = row.bytes, error = try #require(row.bytesError)
            // √(20000 × (1 - p) / p) × 100 = 89 960
            #expect(abs(bytes - 2_000_000) < 6 * 89_960)
            #expect(abs(error - 89_960) < 20_000)
            #expect(row.estimated)
            #expect(report.summary.sampleBytes == 4096)
            let passed = try #require(report.summary.sampledOut)
            #expect(passed > 18_900 && passed < 20_100)
            let large = try MemLeakTool.trace(
                nil, [Self.leaker, "--kind", "big", "--count", "10"], options: options)
            large.expect("leak_here", [10 << 20, 10])
        }

        @Test("sizes in and out of range")
        func sizes() throws {
            let command = [Self.leaker, "--kind", "malloc,big", "--count", "10"]
            #expect(
                try MemLeakTool.trace(nil, command, options: ["-z", "1000"]).sum("leak_here") == [10 << 20, 10])
            #expect(try MemLeakTool.trace(nil, command, options: ["-Z", "1000"]).sum("leak_here") == [1000, 10])
        }

        @Test("a full map is said, in the report and at once")
        func full() throws {
            let finished = try Tool.run(
                [
                    "memleak", "--json", "--max-allocations", "100", "--strict", "--", Self.leaker, "--count",
                    "500",
                ])
            let report = try MemLeakResult(finished)
            #expect(finished.status == 70)
            #expect(finished.errors.contains("--max-allocations"))
            let lost = report.summary.losses["map_full"] ?? 0
            #expect(lost > 0)
            #expect(report.summary.outstandingCount + lost >= 500)
        }

        @Test("children: the parent's blocks stay the parent's", .tags(.brief))
        func follow() throws {
            let report = try MemLeakTool.trace(
                nil,
                [Self.leaker, "--kind", "fork", "--count", "100"],
                options: ["--follow"])
            let truth = try #require(report.truth)
            let child = try #require(truth.child)
            report.expect("leak_here", pid: truth.pid, [10_000, 100])
            report.expect("leak_here", pid: child.pid, [child.outstandingBytes, child.outstandingCount])
        }

        @Test("two processes by -p, sums by SIGUSR1, and the last report at the end")
        func processes() throws {
            let first = try Running(Self.leaker, ["--count", "30", "--wait", "--hold"])
            let second = try Running(Self.leaker, ["--kind", "calloc", "--count", "20", "--wait", "--hold"])
            for workload in [first, second] { try workload.row(ReadyRow.self) }
            let tool = try Tool.tracing(
                ["memleak", "-p", "\(first.pid)", "-p", "\(second.pid)", "-o", "0", "1000"]
            ).tool
            for workload in [first, second] { workload.send("\n") }
            for workload in [first, second] { try workload.row(LeakerTruth.self) }
            tool.signal(SIGUSR1)
            try tool.row(MemLeakSummaryRow.self)
            let report = try MemLeakResult(tool.stop(SIGINT))
            report.expect("leak_here", pid: Int(first.pid), [3000, 30])
            report.expect("leak_calloc", pid: Int(second.pid), [2000, 20])
            first.closeInput()
            second.closeInput()
        }

        @Test(
            "a busy process survives attaching, detaching, and the tracer's sudden end",
            arguments: try MemLeakTool.someRungs())
        func busy(rung: String) throws {
            let target = try Running(
                Self.leaker,
                ["--threads", Live.inMatrix ? "1" : "4", "--churn", "100000", "--count", "1"])
            usleep(200_000)
            for signal in Live.inMatrix ? [SIGINT, SIGKILL] : [SIGINT, SIGKILL, SIGINT, SIGKILL, SIGTERM] {
                let tool = try Tool.tracing(
                    ["memleak", "-p", "\(target.pid)", "1000"], rung: "memleak.allocators=\(rung)"
                ).tool
                usleep(100_000)
                let finished = tool.stop(signal)
                #expect(finished.status == (signal == SIGKILL ? -SIGKILL : 0))
                #expect(target.process.isRunning)
            }
            target.signal(SIGKILL)
        }

        @Test(
            "what it can't do is one line and a status",
            arguments: [
                (["-p", "4194304"], 64, "no process has the id 4194304"),
                (["-p", "2"], 64, "2 is a kernel thread: it has no allocator"),
                (["-c", "/no/such/command"], 127, "/no/such/command: No such file or directory"),
            ] as [([String], Int32, String)])
        func unhappy(arguments: [String], status: Int32, words: String) throws {
            let finished = try Tool.run(["memleak"] + arguments)
            #expect(finished.status == status)
            #expect(finished.errors == "swiftmem: \(words)\n")
        }

        @Test(
            "options that don't go together: what is wrong, and the usage",
            arguments: [
                (["-p", "1", "--percpu"], "--percpu is of the kernel: without -p, -c and --cgroup"),
                (["-z", "9", "-Z", "8", "-p", "1"], "min_size (-z) can't be greater than max_size (-Z)"),
                (["-z", "9", "-Z", "8"], "min_size (-z) can't be greater than max_size (-Z)"),
                (["--combined-only", "-a"], "--combined-only keeps no single allocations for -a to show"),
                (["--follow"], "--follow is of processes: with -p, -c or --cgroup"),
                (["-p", "1", "-c", "true"], "one of -p, -c and --cgroup at a time"),
                (["-p", "1", "--exit-status"], "--exit-status is of a command (-c)"),
                (
                    ["-p", "1", "--sample-bytes", "1K", "-s", "2"],
                    "--sample-bytes goes with neither -s nor --combined-only"
                ),
            ] as [([String], String)])
        func misuse(arguments: [String], words: String) throws {
            let finished = try Tool.run(["memleak"] + arguments)
            #expect(finished.status == 64)
            #expect(finished.errors.hasPrefix("swiftmem: \(words)\nUsage: swiftmem memleak [<options>]"))
            #expect(finished.output.isEmpty)
        }

        @Test("bcc's lines")
        func text() throws {
            let finished = try Tool.run([
                "memleak", "-T", "1", "-Z", "100", "-z", "100", "1000", "--", Self.leaker, "--kind", "deep",
                "--depth", "3", "--count", "5",
            ])
            let lines = finished.lines
            #expect(lines.first?.hasPrefix("Executing '") == true)
            #expect(lines.dropFirst().first?.hasPrefix("Attaching to pid ") == true)
            #expect(
                lines.contains {
                    $0.hasPrefix("hooked ") && $0.contains("libc.so.6: malloc calloc realloc free")
                })
            let title = try #require(
                lines.firstIndex { $0.hasSuffix("] Top 1 stacks with outstanding allocations:") })
            #expect(lines[title + 1] == "\t500 bytes in 5 allocations from stack")
            #expect(lines[title + 2].hasPrefix("\t\t0x0000"))
            #expect(lines[title + 2].contains("\tleak_here+0x"))
            #expect(lines[title + 2].hasSuffix(" [workload-leaker]"))
        }
    }
}
