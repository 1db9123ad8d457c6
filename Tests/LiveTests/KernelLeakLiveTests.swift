// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// memleak of the kernel against workload-kholder, whose truth is what it asked the kernel for.
    ///
    /// Others on the machine allocate too: in the matrix nobody else does, and counts are exact.
    @Suite(.serialized, .exercises("memleak", mode: "kernel")) struct KernelLeaks {
        /// The ways of seeing frees in bulk that this kernel has, and none of them.
        static func hooks() throws -> [String] {
            try Rungs.here("memleak", "bulk", of: ["fentry", "kprobe"], mode: "kernel") + ["none"]
        }

        /// What to ask for to have this hook.
        private static func rungs(_ hook: String) throws -> String {
            if hook == "none" { return "memleak.bulk=none,memleak.rcu=none" }
            let doctor = try Doctor.asking("memleak", for: "memleak.bulk=\(hook)")
            // kernels without sheaves need no hook for kfree_rcu()
            let rcu = doctor.tools.first { $0.mode == "kernel" }?.ladder("rcu")?.rung
            return "memleak.bulk=\(hook)" + (rcu == "bulk" ? "" : ",memleak.rcu=\(hook)")
        }

        /// A report: its stacks and its summary.
        struct Report {
            let stacks: [MemLeakRow]
            let summary: MemLeakSummaryRow

            /// Count and bytes of the stacks with a function among the innermost, and not of
            /// what the slab allocator keeps for itself in its course.
            func sum(_ function: String, cache: String? = nil, kind: String? = nil, depth: Int = 12) -> [Int] {
                let own = rows(function, cache: cache, kind: kind, depth: depth)
                return [own.reduce(0) { $0 + $1.count }, own.reduce(0) { $0 + $1.bytes }]
            }

            func rows(_ function: String, cache: String? = nil, kind: String? = nil, depth: Int = 12) -> [MemLeakRow] {
                stacks.filter { stack in
                    let names = (stack.frames ?? []).prefix(depth).map { $0.symbol ?? "" }
                    let isSlabs = names.contains {
                        $0.contains("slab_obj_exts") || $0.contains("slab_cgroups") || $0.contains("__pcs_replace")
                    }
                    return !isSlabs && names.contains { $0.contains(function) }
                        && (cache == nil || stack.cache == cache)
                        && (kind == nil || stack.kind == kind)
                }
            }
        }

        /// A trace whose reports are asked for.
        final class Trace {
            let tool: Running

            init(_ options: [String] = [], hook: String? = nil) throws {
                tool = try Tool.tracing(
                    ["memleak", "-T", "5000", "-o", "0"] + options + ["3600"], rung: try hook.map(rungs)
                ).tool
            }

            func report() throws -> Report {
                tool.signal(SIGUSR1)
                var stacks: [MemLeakRow] = []
                while true {
                    let line = try tool.line()
                    if let summary = try MemLeakSummaryRow(line: line) {
                        return Report(stacks: stacks, summary: summary)
                    }
                    if let stack = try MemLeakRow(line: line) { stacks.append(stack) }
                }
            }

            /// The first report for which this holds, or the last one within ten seconds.
            func report(until isThere: (Report) -> Bool) throws -> Report {
                var report = try report()
                for _ in 0..<20 where !isThere(report) {
                    usleep(500_000)
                    report = try self.report()
                }
                return report
            }
        }

        /// Starts a workload before the trace, so that its start is not in it.
        static func holder(_ kind: String, _ count: Int, _ options: [String] = []) throws -> Running {
            let workload = try Workload.start(
                "kholder", ["--kind", kind, "--count", "\(count)", "--wait"] + options)
            try workload.row(ReadyRow.self)
            return workload
        }

        /// Is a count what it should be? Others may add a little, outside the matrix.
        static func isRight(_ count: Int, _ want: Int) -> Bool {
            Live.inMatrix ? count == want : count >= want && count <= want + 60
        }

        @Test("400 pipes: in their stacks, and gone when closed", .tags(.brief), arguments: try hooks())
        func pipes(hook: String) throws {
            let workload = try Self.holder("pipes", 400)
            let trace = try Trace(hook: hook)
            workload.send("\n")
            try workload.row(HolderTruth.self)
            let held = try trace.report()
            // the pipe itself and its ring of buffers, each a kmalloc()
            let rows = held.rows("alloc_pipe_info", depth: 2)
            let counts = rows.map(\.count)
            let right = rows.count == 2 && counts.allSatisfy { Self.isRight($0, 400) }
            #expect(right, "\(counts)")
            #expect(rows.allSatisfy { $0.pid == nil && $0.kind == "kmalloc" })
            #expect(rows.allSatisfy { $0.cache?.hasPrefix("kmalloc-") == true })
            #expect(rows.flatMap { ($0.frames ?? []).prefix(2) }.allSatisfy { $0.module == "kernel" })
            // its own look-ups and output are no leaks of the kernel's
            let bpf = held.stacks.filter { $0.isOn { $0 == "__sys_bpf" } }
            #expect(bpf.isEmpty || !Live.inMatrix, "\(bpf.count) stacks of bpf()")
            workload.send("\n")
            try workload.row(ReleasedRow.self)
            let after = try trace.report().sum("alloc_pipe_info", depth: 2)[0]
            #expect(Live.inMatrix ? after == 0 : after < 60)
            TestRecord.note("\(counts) of 400, then \(after)")
            #expect(trace.tool.stop().status == 0)
        }

        @Test("300 sockets: by their cache, as /proc/slabinfo has them", arguments: try hooks())
        func sockets(hook: String) throws {
            let workload = try Self.holder("sockets", 300)
            let trace = try Trace(["--cache", "sock_inode_cache"], hook: hook)
            let before = try Self.slabinfo("sock_inode_cache")
            workload.send("\n")
            try workload.row(HolderTruth.self)
            let held = try trace.report()
            let during = try Self.slabinfo("sock_inode_cache")
            let sum = held.sum("sock_alloc_inode", cache: "sock_inode_cache", kind: "cache")
            #expect(Self.isRight(sum[0], 300))
            #expect(sum[1] == sum[0] * during.size)
            #expect(held.stacks.allSatisfy { $0.cache == "sock_inode_cache" })
            #expect(held.summary.filteredOut > 0)
            // a CPU's slab, taken since the shrinking, counts as used whatever is free in it
            let slack = during.perSlab * ProcessInfo.processInfo.processorCount
            #expect(
                abs(during.active - before.active - sum[0]) <= slack,
                "\(before.active) to \(during.active) in /proc/slabinfo")
            workload.send("\n")
            try workload.row(ReleasedRow.self)
            let after = try trace.report { $0.sum("sock_alloc_inode")[0] < 30 }.sum("sock_alloc_inode")[0]
            #expect(Live.inMatrix ? after == 0 : after < 60)
            TestRecord.note("\(sum[0]) of 300, slabinfo \(during.active - before.active), then \(after)")
            #expect(trace.tool.stop().status == 0)
        }

        /// Active objects of a cache, their size and how many make a slab.
        static func slabinfo(_ cache: String) throws -> (active: Int, size: Int, perSlab: Int) {
            // else what CPUs keep at hand counts as active
            try? "1".write(toFile: "/sys/kernel/slab/\(cache)/shrink", atomically: false, encoding: .utf8)
            let file = FileHandle(forReadingAtPath: "/proc/slabinfo")
            let table = String(decoding: file?.readDataToEndOfFile() ?? Data(), as: UTF8.self)
            let fields = table.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
                .first { $0.first == cache }
            let numbers = (fields ?? []).dropFirst().prefix(4).compactMap { Int($0) }
            guard numbers.count == 4 else { throw HarnessError(description: "no \(cache) in /proc/slabinfo") }
            // objsize is with what the allocator adds; the object itself is what the cache was made for
            let path = "/sys/kernel/slab/\(cache)/object_size"
            let size = (try? String(contentsOfFile: path, encoding: .utf8)).flatMap {
                Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
            }
            return (numbers[0], size ?? numbers[2], numbers[3])
        }

        @Test(
            "kfree_rcu() of 2000 objects: no leak with the hook, said to be false without", .tags(.brief),
            arguments: try hooks())
        func rcu(hook: String) throws {
            let workload = try Self.holder("timers", 2000)
            let trace = try Trace(hook: hook)
            workload.send("\n")
            try workload.row(HolderTruth.self)
            let last = try trace.report { $0.sum("timerfd_create", depth: 3)[0] == 0 }
            let left = last.sum("timerfd_create", depth: 3)[0]
            let hooked = (last.summary.bulkFrees ?? 0) + (last.summary.rcuFrees ?? 0)
            let isRight: Bool
            if hook == "none" {
                #expect(last.summary.bulkFreesSeen == false)
                #expect(last.summary.falseLeaksPossible == true)
                // their cache has not grown by so many
                let stacks = last.rows("timerfd_create", depth: 3)
                #expect(left < 100 || stacks.allSatisfy { $0.falseLeaksPossible == true }, "\(stacks)")
                isRight = hooked == 0
            } else {
                #expect(last.summary.bulkFreesSeen == true)
                isRight = left == 0 && hooked >= 1900
            }
            #expect(isRight, "\(left) left, \(hooked) hooked")
            TestRecord.note("\(left) of 2000 left, \(hooked) freed in bulk or by kfree_rcu()")
            #expect(trace.tool.stop().status == 0)
        }

        @Test("pages of order 0 to 3 of a packet socket's ring", .tags(.brief), arguments: 0...3)
        func ring(order: Int) throws {
            let workload = try Self.holder("ring", 64, ["--order", "\(order)"])
            let trace = try Trace()
            workload.send("\n")
            try workload.row(HolderTruth.self)
            let sum = try trace.report().sum("packet_set", kind: "pages")
            #expect(sum == [64, 64 * 4096 << order])
            workload.send("\n")
            try workload.row(ReleasedRow.self)
            let after = try trace.report().sum("packet_set", kind: "pages")
            #expect(after == [0, 0])
            TestRecord.note("\(sum), then \(after)")
            #expect(trace.tool.stop().status == 0)
        }

        @Test("a pipe full of pages")
        func fullPipe() throws {
            let workload = try Self.holder("full-pipe", 256)
            let trace = try Trace(["-z", "4096", "-Z", "4096"])
            workload.send("\n")
            try workload.row(HolderTruth.self)
            // the line that was just sent is in a page of a pipe, too
            let count = try trace.report().sum("pipe_write", kind: "pages", depth: 5)[0]
            let isRight = Live.inMatrix ? (256...258).contains(count) : count >= 256
            #expect(isRight, "\(count)")
            workload.send("\n")
            try workload.row(ReleasedRow.self)
            let after = try trace.report().sum("pipe_write", kind: "pages", depth: 5)[0]
            #expect(count - after >= 250)
            TestRecord.note("\(count) of 256, then \(after)")
            #expect(trace.tool.stop().status == 0)
        }

        @Test("per-CPU memory of 50 cgroups", .tags(.brief))
        func percpu() throws {
            let workload = try Self.holder("cgroups", 50, ["--directory", Live.memoryCgroups])
            let trace = try Trace(["--percpu"])
            workload.send("\n")
            try workload.row(HolderTruth.self)
            let rows = try trace.report().rows("cgroup_mkdir")
            #expect(rows.contains { $0.count == 50 })
            #expect(rows.allSatisfy { $0.count % 50 == 0 && $0.kind == "percpu" })
            workload.send("\n")
            try workload.row(ReleasedRow.self)
            let after = try trace.report { $0.sum("cgroup_mkdir")[0] == 0 }.sum("cgroup_mkdir")[0]
            #expect(after == 0)
            TestRecord.note("\(rows.map(\.count)), then \(after)")
            #expect(trace.tool.stop().status == 0)
        }

        @Test("names that don't exist: dentries until the shrinker runs")
        func negativeDentries() throws {
            let count = Live.inMatrix ? 20_000 : 200_000
            let workload = try Self.holder("negative", count, ["--directory", Live.scratch])
            let trace = try Trace(["--cache", "dentry"])
            workload.send("\n")
            try workload.row(HolderTruth.self)
            let sum = try trace.report().sum("d_alloc", cache: "dentry")[0]
            #expect(Live.inMatrix ? abs(sum - count) <= count / 100 : sum >= count)
            try "2".write(toFile: "/proc/sys/vm/drop_caches", atomically: false, encoding: .utf8)
            // others' names come back outside the matrix
            let few = Live.inMatrix ? count / 20 : count / 4
            let after = try trace.report { $0.sum("d_alloc", cache: "dentry")[0] < few }
                .sum("d_alloc", cache: "dentry")[0]
            #expect(after < few)
            TestRecord.note("\(sum) of \(count), \(after) after the shrinker")
            #expect(trace.tool.stop().status == 0)
        }

        @Test("sums kept in the kernel are those of the blocks; samples estimate them")
        func totalsAndSamples() throws {
            for (options, range) in [
                (["--combined-only"], 3000...3060), (["-s", "10"], 2300...3700),
                (["-s", "10", "--combined-only"], 2300...3700),
            ] {
                let workload = try Self.holder("sockets", 3000)
                let trace = try Trace(options)
                workload.send("\n")
                try workload.row(HolderTruth.self)
                let held = try trace.report()
                let count = held.sum("sock_alloc_inode", depth: 3)[0]
                #expect(range.contains(count), "\(options): \(count)")
                let row = try #require(held.rows("sock_alloc_inode", depth: 3).first)
                #expect(row.estimated == (options.first == "-s"))
                workload.send("\n")
                try workload.row(ReleasedRow.self)
                let after = try trace.report { $0.sum("sock_alloc_inode", depth: 3)[0] < 60 }
                    .sum("sock_alloc_inode", depth: 3)[0]
                #expect(after < 60)
                TestRecord.note("\(count) of 3000, then \(after)")
                #expect(trace.tool.stop().status == 0)
            }
        }

        @Test("a full map is said at once, and counted")
        func fullMap() throws {
            let workload = try Self.holder("sockets", 300)
            let trace = try Trace(["--max-allocations", "100", "--strict"])
            workload.send("\n")
            try workload.row(HolderTruth.self)
            let report = try trace.report()
            #expect(report.summary.losses["map_full"] ?? 0 > 0)
            let finished = trace.tool.stop()
            #expect(finished.status == 70)
            #expect(finished.errors.contains("--max-allocations"))
        }

        @Test("what the programs cost is limited by sampling, and said")
        func overhead() throws {
            let trace = try Trace(["--max-overhead", "0.001"])
            let workload = try Workload.start("kholder", ["--kind", "timers", "--count", "200000"])
            let said: MemLeakSamplingRow = try trace.tool.row()
            #expect(said.sampleRate > 1)
            #expect(said.overheadPercent > 0.001)
            #expect(try trace.report().summary.sampleRate > 1)
            workload.signal(SIGKILL)
            #expect(trace.tool.stop().status == 0)
        }

        @Test("what can't be meant is refused with a line")
        func usage() throws {
            for (arguments, words) in [
                (["--cache", "no_such_cache"], "no slab cache"), (["-p", "1", "--percpu"], "--percpu"),
                (["-p", "1", "--cache", "dentry"], "--cache"), (["--percpu", "--cache", "dentry"], "--cache"),
                (["--follow"], "--follow"), (["-z", "9", "-Z", "8"], "min_size"),
                (["--max-overhead", "0"], "max-overhead"),
            ] {
                let finished = try Tool.run(["memleak"] + arguments)
                #expect(finished.status == 64, "\(arguments)")
                #expect(finished.errors.contains(words), "\(arguments): \(finished.errors)")
            }
        }
    }
}
