// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// memleak against workload-leaker, whose truth is what it printed itself.
    @Suite(.serialized) struct MemLeaks {
        static let rungs = MemLeakTool.rungs

        static let leaker = Tool.directory.appendingPathComponent("workload-leaker").path

        private func check(_ report: MemLeakResult, _ rung: String, _ name: String) throws {
            let truth = try #require(report.truth)
            // kinds may share a function
            var wanted: [String: [Int]] = [:]
            for kind in truth.rows("kinds") {
                let function = try #require(kind.text("function"))
                let place = function == "leak_in_thread" ? "leak_here" : function
                let sofar = wanted[place] ?? [0, 0]
                wanted[place] = [
                    sofar[0] + (kind.int("outstanding_bytes") ?? -1), sofar[1] + (kind.int("outstanding_count") ?? -1),
                ]
            }
            for (place, want) in wanted {
                let sum = report.sum(place)
                let isRight = sum == want
                #expect(isRight, "\(rung): \(name): \(place): \(sum) of \(want)")
                Live.record(
                    "memleak", "allocators/\(rung)", "\(name) \(place)", isRight, "\(sum) of \(want)")
            }
            #expect(report.losses == 0, "\(report.lost)")
            #expect(report.summary.int("unmatched_frees") == 0)
            #expect(report.summary.int("abandoned_calls") == 0)
        }

        @Test("each function of the list, exactly", arguments: rungs, ["", "entry"])
        func functions(rung: String, placement: String) throws {
            guard try MemLeakTool.isThere(rung) else { return }
            // a guest is slow: probes at the entries once
            if try Live.inMatrix && !placement.isEmpty && rung != MemLeakTool.bestRung() { return }
            let most =
                "malloc,calloc,realloc,memalign,posix_memalign,aligned_alloc,valloc,strdup,mmap,mmap-part,realloc-chain,failed"
            // a guest is slow: all in one run there
            let runs =
                Live.inMatrix
                ? [most + ",big,cross-free,new-thread-first"] : [most, "big", "cross-free", "new-thread-first"]
            for kinds in runs {
                let report = try MemLeakTool.trace(
                    rung, [Self.leaker, "--kind", kinds, "--count", Live.inMatrix ? "50" : "200"],
                    environment: ["SWIFTMEM_PLACEMENT": placement])
                try check(report, rung, kinds)
            }
        }

        @Test("calls that fail are counted as such, and leave no allocation", arguments: rungs)
        func failures(rung: String) throws {
            guard try MemLeakTool.someRungs().contains(rung) else { return }
            let report = try MemLeakTool.trace(rung, [Self.leaker, "--kind", "failed", "--count", "100"])
            #expect(report.summary.int("failed_calls") == 600)
            #expect(report.sum("leak_failed") == [10_000, 100])
        }

        @Test("eight threads at once", arguments: rungs)
        func threads(rung: String) throws {
            guard try MemLeakTool.isThere(rung) else { return }
            for _ in 0..<(Live.inMatrix ? 1 : 3) {
                try check(MemLeakTool.trace(rung, [Self.leaker, "--threads", "8", "--count", "500"]), rung, "threads")
            }
        }

        @Test("a thousand leaks of 100 bytes among a million freed blocks")
        func needle() throws {
            let pairs = Live.fileMegabytes < 100 ? "0" : "1"
            let report = try MemLeakTool.trace(
                nil, [Self.leaker, "--churn", pairs])
            #expect(report.sum("leak_here") == [100_000, 1000])
            #expect(report.sum("churn_here") == [0, 0])
        }

        @Test("the state of threads kept by their ids")
        func byID() throws {
            let report = try MemLeakTool.trace(
                "perf,memleak.threads=by_id", [Self.leaker, "--threads", "8", "--count", "200"])
            #expect(report.sum("leak_here") == [160_000, 1600])
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
                report.stacks.filter { $0.int("count") ?? 0 > 1000 }.allSatisfy {
                    $0["estimated"] as? Bool == true
                })
            #expect(report.summary.int("sampled_out") ?? 0 > 17_000)
        }

        @Test("sampled by bytes: the estimate and its error are right, large blocks are never missed")
        func byteSampling() throws {
            let options = ["--sample-bytes", "4K"]
            let report = try MemLeakTool.trace(
                nil, [Self.leaker, "--kind", "malloc", "--count", "20000"], options: options)
            // 20000 × 100 bytes, each recorded with p = 1 - exp(-100 / 4096)
            let row = try #require(report.stacks.first { $0.int("bytes") ?? 0 > 1_000_000 })
            let (bytes, error) = (try #require(row.int("bytes")), try #require(row.int("bytes_error")))
            // √(20000 × (1 - p) / p) × 100 = 89 960
            #expect(abs(bytes - 2_000_000) < 6 * 89_960)
            #expect(abs(error - 89_960) < 20_000)
            #expect(row["estimated"] as? Bool == true)
            #expect(report.summary.int("sample_bytes") == 4096)
            let passed = try #require(report.summary.int("sampled_out"))
            #expect(passed > 18_900 && passed < 20_100)
            let large = try MemLeakTool.trace(
                nil, [Self.leaker, "--kind", "big", "--count", "10"], options: options)
            #expect(large.sum("leak_here") == [10 << 20, 10])
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
            let lost = report.summary.object("losses").int("map_full") ?? 0
            #expect(lost > 0)
            #expect((report.summary.int("outstanding_count") ?? 0) + lost >= 500)
        }

        @Test("children: the parent's blocks stay the parent's")
        func follow() throws {
            let report = try MemLeakTool.trace(
                nil,
                [Self.leaker, "--kind", "fork", "--count", "100"],
                options: ["--follow"])
            let truth = try #require(report.truth)
            let child = truth.object("child")
            #expect(report.sum("leak_here", pid: truth.int("pid")) == [10_000, 100])
            #expect(
                report.sum("leak_here", pid: child.int("pid")) == [
                    child.int("outstanding_bytes"), child.int("outstanding_count"),
                ])
        }

        @Test("two processes by -p, sums by SIGUSR1, and the last report at the end")
        func processes() throws {
            let first = try Running(
                URL(fileURLWithPath: Self.leaker), ["--count", "30", "--wait", "--hold"])
            let second = try Running(
                URL(fileURLWithPath: Self.leaker),
                ["--kind", "calloc", "--count", "20", "--wait", "--hold"])
            _ = try (first.object("ready"), second.object("ready"))
            let (tool, _) = try Tool.tracing([
                "memleak", "-p", "\(first.pid)", "-p", "\(second.pid)", "-o", "0", "1000",
            ])
            first.send("\n")
            second.send("\n")
            _ = try (first.object("truth"), second.object("truth"))
            tool.signal(SIGUSR1)
            _ = try tool.object("memleak_summary")
            let report = try MemLeakResult(tool.stop(SIGINT))
            #expect(report.sum("leak_here", pid: Int(first.pid)) == [3000, 30])
            #expect(report.sum("leak_calloc", pid: Int(second.pid)) == [2000, 20])
            first.closeInput()
            second.closeInput()
        }

        @Test(
            "a busy process survives attaching, detaching, and the tracer's sudden end", arguments: rungs)
        func busy(rung: String) throws {
            guard try MemLeakTool.someRungs().contains(rung) else { return }
            let target = try Running(
                URL(fileURLWithPath: Self.leaker),
                ["--threads", Live.inMatrix ? "1" : "4", "--churn", "100000", "--count", "1"])
            usleep(200_000)
            for signal in Live.inMatrix ? [SIGINT, SIGKILL] : [SIGINT, SIGKILL, SIGINT, SIGKILL, SIGTERM] {
                let (tool, _) = try Tool.tracing(
                    ["memleak", "-p", "\(target.pid)", "1000"],
                    environment: ["SWIFTMEM_RUNG": "memleak.allocators=\(rung)"])
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
