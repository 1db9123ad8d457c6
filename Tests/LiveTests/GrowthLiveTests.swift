// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// growth beside workload-growth, whose truth is the pages that each of its functions touched; the second source
    /// is /proc/PID/smaps_rollup, which goes through the page tables.
    @Suite(.serialized, .exercises("growth")) struct GrowthStacks {
        /// Before 6.2 no rung counts.
        private static func rungs() throws -> [String] { try Rungs.here("growth", "counters", of: ["split"]) }

        /// The ways of seeing where faults are that this kernel has, where any rung counts.
        private static func faultRungs() throws -> [String] {
            try rungs().isEmpty ? [] : Rungs.here("growth", "faults", of: ["tracepoint", "fentry", "kprobe"])
        }

        private struct Result {
            let truth: GrowthTruth
            let rows: [GrowthRow]
            let summary: GrowthSummaryRow

            /// The row whose innermost function is this one.
            func row(_ function: String) throws -> GrowthRow {
                try #require(rows.first { $0.frames?.first?.symbol == function }, "no row of \(function)")
            }
        }

        /// Runs the workload under a trace, and takes the report while it holds what it has.
        ///
        /// - Parameter faults: the rung that tells where faults are; nil: the tool's choice.
        private func trace(_ arguments: [String], faults: String? = nil) throws -> Result {
            let workload = try Workload.start("growth", ["--wait", "--hold"] + arguments)
            let pid = try #require(try workload.row(ReadyRow.self).pid)
            let (tool, start) = try Tool.tracing(
                ["growth", "1000", "-T", "1000", "-p", "\(pid)"], rung: faults.map { "growth.faults=\($0)" })
            if let faults { #expect(start.stands("faults", on: faults)) }
            workload.send("\n")
            let truth: GrowthTruth = try workload.row()
            let all = tool.stop(SIGINT)
            workload.closeInput()
            #expect(workload.finish().status == 0)
            #expect(all.status == 0, "\(all.errors)")
            let rows: [GrowthRow] = try all.rows()
            return Result(
                truth: truth, rows: rows.filter { $0.pid == pid },
                summary: try #require(try all.rows(GrowthSummaryRow.self).last))
        }

        private static let hugePagesAlways =
            (try? String(contentsOfFile: "/sys/kernel/mm/transparent_hugepage/enabled", encoding: .utf8))?
            .contains("[always]") ?? false

        @Test(
            "each function's pages are those it touched, and those it still has", .tags(.brief),
            arguments: try faultRungs())
        func functions(rung: String) throws {
            let result = try trace([], faults: rung)
            let truth = result.truth, page = truth.pageBytes
            let expected: [(name: String, faulted: Int, resident: Int)] = [
                ("touch_heap", truth.pages, truth.pages), ("touch_mapping", 2 * truth.pages, 2 * truth.pages),
                ("touch_unmapped", truth.pages, 0), ("touch_dropped", truth.pages, 0),
                ("touch_again", truth.againPages, truth.againPages), ("touch_shared", truth.pages, truth.pages),
                ("touch_thread", truth.threadPages, truth.threadPages),
            ]
            // of a fault that the kernel skipped all programs for (7.0), no page's place is known
            let skipped = result.summary.losses.causes["skipped"] ?? 0
            for one in expected {
                let row = try result.row(one.name)
                let others = result.rows.filter { $0.faultedBytes != 0 }.map {
                    "\($0.frames?.prefix(3).compactMap(\.symbol) ?? []) \($0.faultedBytes / page) \($0.stackEnd ?? "-")"
                }
                #expect(row.faultedBytes == one.faulted * page, "\(one.name) of \(others)")
                // another process may reclaim some
                #expect(row.residentBytes != nil || skipped > 0, "\(one.name)")
                let resident = row.residentBytes ?? one.resident * page
                #expect(resident <= one.resident * page && resident >= one.resident * page * 95 / 100, "\(one.name)")
                // distributions' kernels give huge pages to whoever has room for them
                #expect(row.majorFaults == 0 && (row.hugeBytes == 0 || Self.hugePagesAlways), "\(one.name)")
                #expect(row.stackEnd == "whole", "\(one.name)")
                TestRecord.note("\(one.name) \(row.faultedBytes / page)/\(one.faulted)")
            }
            #expect(try result.row("touch_shared").sharedBytes == truth.pages * page)
            // what mremap has moved is found again, or not known
            let moved = try result.row("touch_moved")
            #expect(moved.faultedBytes == truth.pages * page)
            if let resident = moved.residentBytes { #expect(resident >= truth.pages * page * 95 / 100) }
            // no page of a child's; the zero page is not counted
            #expect(!result.rows.contains { ["touch_copy", "read_zero"].contains($0.frames?.first?.symbol) })
            #expect(result.summary.losses.causes.keys.allSatisfy { $0 == "skipped" }, "\(result.summary.losses)")
        }

        @Test("the change by the kernel's counters is explained, and is what smaps_rollup says", arguments: try rungs())
        func balance(rung: String) throws {
            let result = try trace([])
            let summary = result.summary, truth = result.truth
            let change = truth.residentAfterBytes - truth.residentBeforeBytes
            TestRecord.note("rss \(summary.rssChangeBytes) explained \(summary.explainedBytes) smaps \(change)")
            #expect(abs(summary.explainedBytes - summary.rssChangeBytes) <= summary.rssChangeBytes / 100)
            #expect(abs(summary.rssChangeBytes - change) <= change / 100)
            #expect(result.rows.map(\.faultedBytes).reduce(0, +) == summary.faultedBytes)
            #expect(summary.returnedBytes >= 2 * truth.pages * truth.pageBytes)
        }

        @Test("huge pages count by their size, in few faults", arguments: try rungs())
        func huge(rung: String) throws {
            let result = try trace([])
            let row = try result.row("touch_huge")
            let bytes = result.truth.hugePages * result.truth.pageBytes
            #expect(row.faultedBytes == bytes && row.residentBytes == bytes)
            guard row.hugeBytes > 0 else { throw Unsupported("the kernel gives no huge pages here") }
            #expect(row.hugeBytes % (bytes / 2) == 0)
            if row.hugeBytes == bytes { #expect(row.faults == 2) }
        }

        @Test("files: hot ones map around a fault, cold ones wait for the disk", arguments: try faultRungs())
        func files(rung: String) throws {
            let path = "\(Live.scratch)/swiftmem-growth-\(getpid()).dat"
            defer { unlink(path) }
            let result = try trace(["--file", path], faults: rung)
            let bytes = result.truth.pages * result.truth.pageBytes
            let hot = try result.row("read_hot"), cold = try result.row("read_cold")
            guard cold.fileBytes > 0 else { throw Unsupported("no file of a disk can be made here") }
            #expect(hot.faultedBytes == bytes && hot.fileBytes == bytes && hot.residentBytes == 0)
            #expect(hot.faults < result.truth.pages && hot.majorFaults == 0)
            #expect(cold.faultedBytes == bytes && cold.fileBytes == bytes)
            let majors = try #require(cold.majorFaults), wait = try #require(cold.waitNs)
            #expect(majors > 0 && majors <= result.truth.pages && wait > 0)
            TestRecord.note("majors \(majors) wait \(wait)")
        }

        @Test("a cgroup: its processes, and those that begin in it under the trace", arguments: try rungs())
        func cgroup(rung: String) throws {
            let root = Live.unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"
            let directory = "\(root)/swiftmem-growth-\(getpid())"
            guard mkdir(directory, 0o755) == 0 else { throw Unsupported("no cgroup can be made at \(directory)") }
            defer { rmdir(directory) }
            let (tool, _) = try Tool.tracing(["growth", "1000", "-T", "1000", "--cgroup", directory])
            let program = Workload.path("growth")
            let script = "echo $$ >\(directory)/cgroup.procs; exec \(program) --wait --hold --pages 512"
            let workload = try Running("/bin/sh", ["-c", script])
            let pid = try #require(try workload.row(ReadyRow.self).pid)
            // its mappings are read within moments
            sleep(2)
            workload.send("\n")
            let truth: GrowthTruth = try workload.row()
            let all = tool.stop(SIGINT)
            workload.closeInput()
            #expect(workload.finish().status == 0)
            let heap = try all.rows(GrowthRow.self).first { $0.pid == pid && $0.frames?.first?.symbol == "touch_heap" }
            #expect(heap?.faultedBytes == truth.pages * truth.pageBytes, "\(all.output)")
        }

        @Test(
            "a command from its start on, with its own exit status; its report is of before its end",
            arguments: try rungs())
        func command(rung: String) throws {
            let program = Workload.path("growth")
            let all = try Tool.run(["growth", "--json", "-T", "1000", "1000", "--", program, "--pages", "512"])
            #expect(all.status == 0, "\(all.errors)")
            let rows: [GrowthRow] = try all.rows()
            let truth = try #require(
                all.errors.split(separator: "\n").compactMap { try? GrowthTruth(line: String($0)) }.first)
            let heap = try #require(rows.first { $0.frames?.first?.symbol == "touch_heap" })
            #expect(heap.faultedBytes == 512 * truth.pageBytes && heap.residentBytes == heap.faultedBytes)
            let summary = try #require(try all.rows(GrowthSummaryRow.self).last)
            #expect(abs(summary.explainedBytes - summary.rssChangeBytes) <= summary.rssChangeBytes / 100)
            let failed = try Tool.run(["growth", "--exit-status", "1000", "--", "sh", "-c", "exit 3"])
            #expect(failed.status == 3)
        }

        @Test(
            "what a process forks is followed when asked for, exec always; a target that ends is said",
            arguments: try rungs(), [true, false])
        func processes(rung: String, execs: Bool) throws {
            let program = Workload.path("growth")
            let script = "read line; \(execs ? "exec" : "") \(program) --wait --hold --pages 256; true"
            let target = try Running("/bin/sh", ["-c", script])
            let (tool, _) = try Tool.tracing(
                ["growth", "-p", "\(target.pid)", "-T", "1000", "1000"] + (execs ? [] : ["--follow"]))
            target.send("\n")
            let pid = try #require(try target.row(ReadyRow.self).pid)
            #expect((pid == Int(target.pid)) == execs)
            // its mappings are read within moments
            sleep(2)
            target.send("\n")
            let truth: GrowthTruth = try target.row()
            target.closeInput()
            #expect(target.finish().status == 0)
            let all = tool.finish()
            #expect(all.status == 0 && all.errors.contains("pid \(target.pid) has ended"), "\(all.errors)")
            let heap = try all.rows(GrowthRow.self).first { $0.frames?.first?.symbol == "touch_heap" }
            #expect(heap?.pid == pid && heap?.faultedBytes == 256 * truth.pageBytes && heap?.residentBytes == 0)
            let summary = try #require(try all.rows(GrowthSummaryRow.self).last)
            #expect(summary.rssBytes == 0)
            #expect(abs(summary.explainedBytes - summary.rssChangeBytes) <= 1 << 18)
        }

        @Test("two at once count the same", arguments: try rungs())
        func twice(rung: String) throws {
            let workload = try Workload.start("growth", ["--wait", "--hold", "--pages", "512"])
            let pid = try #require(try workload.row(ReadyRow.self).pid)
            let tools = try [0, 1].map { _ in try Tool.tracing(["growth", "1000", "-T", "99", "-p", "\(pid)"]).tool }
            workload.send("\n")
            let truth: GrowthTruth = try workload.row()
            for tool in tools {
                let row = try tool.stop(SIGINT).rows(GrowthRow.self).first {
                    $0.frames?.first?.symbol == "touch_heap"
                }
                #expect(row?.faultedBytes == truth.pages * truth.pageBytes)
            }
            workload.closeInput()
            #expect(workload.finish().status == 0)
        }

        @Test("what can't be: no target, two, a process that is not there, a thread, a kernel thread")
        func refused() throws {
            #expect(try Tool.run(["growth"]).status == 64)
            #expect(try Tool.run(["growth", "--cgroup", "/", "-p", "1"]).status == 64)
            #expect(try Tool.run(["growth", "--cgroup", "/", "--follow"]).status == 64)
            let missing = try Tool.run(["growth", "-p", "4194304"])
            #expect(missing.status == 64 && missing.errors.contains("no process has the id 4194304"))
            let kernel = try Tool.run(["growth", "-p", "2"])
            #expect(kernel.status == 64 && kernel.errors.contains("kernel thread"), "\(kernel.errors)")
        }
    }
}
