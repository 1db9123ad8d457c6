// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// swapin beside workload-swapper, whose truth is what the kernel counted for its read phase.
    @Suite(.serialized, .exercises("swapin")) struct SwapIns {
        private struct Observed {
            let truth: SwapperTruth
            /// The swapper's own, or its cgroup's.
            let row: SwapInRow
            let interval: SwapInIntervalRow
            let start: StartRow
        }

        /// A swapper's read phase under the trace; `rung` as in `pages=kprobe`.
        private func trace(_ arguments: [String], options: [String] = [], rung: String? = nil) throws -> Observed {
            let swap = try SwapSpace()
            defer { swap.end() }
            let workload = try Workload.start("swapper", ["--wait-read"] + arguments)
            let pid = try #require(try workload.row(ReadyRow.self).pid)
            let (tool, start) = try Tool.tracing(["swapin", "1000"] + options, rung: rung)
            workload.send("\n")
            let truth: SwapperTruth = try workload.row()
            let all = tool.stop()
            workload.closeInput()
            #expect(workload.finish().status == 0)
            #expect(all.status == 0)
            let rows: [SwapInRow] = try all.rows()
            let row =
                rows.first { $0.pid == pid }
                ?? rows.first { options.contains("--by") && ($0.cgroup ?? "").contains("swiftmem-swap") }
            return Observed(
                truth: truth, row: try #require(row),
                interval: try #require(try all.rows(SwapInIntervalRow.self).last), start: start)
        }

        static let patterns = [
            "--mb 32 --pageout", "--mb 32 --pageout --order rand", "--mb 32 --pageout --fill zero",
            "--mb 32 --limit-mb 16",
        ]

        @Test(
            "pages equal the kernel's own counters, on every rung", .tags(.brief),
            arguments: try Rungs.here("swapin", "pages", of: ["tracepoint", "fentry", "kprobe", "rss_stat"]), patterns)
        func pages(rung: String, pattern: String) throws {
            let seen = try trace(pattern.split(separator: " ").map(String.init), rung: "swapin=\(rung)")
            #expect(seen.start.stands("pages", on: rung))
            let read = seen.truth.read, interval = seen.interval
            let ours = try #require(seen.row.swapinPages)
            let slack = 66
            if rung == "rss_stat" {
                // what the faults mapped; until 6.1 a thread keeps those of 66 faults back
                // (TASK_RSS_EVENTS_THRESH of mm/memory.c, compared before it is counted up)
                #expect(abs(ours - read.faults) <= slack, "\(ours) mapped, \(read.faults) faults")
                TestRecord.note("pages \(ours)/\(read.faults)")
            } else {
                let expected = read.vmstat.pages
                // the one is read behind the other, and others swap in between; the kernel may skip a program (7.0)
                let skipped = interval.losses.causes["skipped"] ?? 0
                let apart = abs(try #require(interval.swapinPages) - interval.vmstatPages)
                #expect(apart <= 2 + skipped, "\(interval)")
                // the machine's counters hold other processes' pages too
                #expect(ours <= expected && expected - ours <= slack, "\(ours) ours, \(expected) true")
                if let zero = read.vmstat.swpinZero { #expect(seen.row.zeroPages == zero) }
                TestRecord.note("pages \(ours)/\(expected)")
            }
            #expect(interval.losses.causes.keys.allSatisfy { $0 == "skipped" }, "\(interval.losses)")
        }

        /// As in CacheTopEdges: until 6.1 a thread keeps its own part of a counter.
        @Test(
            "threads that swap in at once: each page counts once", .tags(.brief),
            arguments: try Rungs.here("swapin", "pages", of: ["tracepoint", "fentry", "kprobe", "rss_stat"]))
        func together(rung: String) throws {
            let swap = try SwapSpace()
            defer { swap.end() }
            let threads = 4
            let tool = try Tool.tracing(["swapin", "1000"], rung: "swapin=\(rung)").tool
            let running = try Running(Fixture.together.path(), ["-", "\(threads)", "2000"])
            try running.row(ReadyRow.self)
            let steps = Steps(running)
            running.send("out\n")
            let pages = try running.row(TogetherRow.self).pages
            try running.row(DoneRow.self)
            try steps.step("touch")
            let finished = tool.stop()
            steps.end()
            let row = try #require(try finished.rows(SwapInRow.self).first { $0.pid == Int(steps.pid) })
            let splits = ProcessInfo.processInfo.isOperatingSystemAtLeast(
                .init(majorVersion: 6, minorVersion: 2, patchVersion: 0))
            let slack = splits ? 0 : threads * 66
            let swapped = "in \(row.swapinPages ?? -1), out \(row.swapoutPages ?? -1) of \(pages)"
            TestRecord.note(swapped)
            // what is still in the swap cache is mapped and not read
            if rung == "rss_stat" { #expect(abs((row.swapinPages ?? 0) - pages) <= slack, "\(swapped)") }
            if let out = row.swapoutPages { #expect(abs(out - pages) <= slack, "\(swapped)") }
        }

        @Test(
            "waits are no more than the read phase took, and every fault has one", .tags(.brief),
            arguments: try Rungs.here("swapin", "waits", of: ["fentry", "kprobe", "tracepoint"]))
        func waits(rung: String) throws {
            let seen = try trace(["--mb", "32", "--pageout"], rung: "swapin.waits=\(rung)")
            #expect(seen.start.stands("waits", on: rung))
            let read = seen.truth.read
            let wait = try #require(seen.row.waitNs), longest = try #require(seen.row.waitMaxNs)
            #expect(wait > 0 && wait <= read.durationNs)
            #expect(longest > 0 && longest <= wait)
            #expect(seen.row.waits == read.faults)
            TestRecord.note("wait \(wait) of \(read.durationNs) ns")
        }

        @Test("swap-outs are the growth of the process's swap and what came back meanwhile")
        func swapouts() throws {
            let seen = try trace(["--mb", "32", "--limit-mb", "16"])
            guard seen.start.rung("swapouts") != nil else { throw Unsupported("no rung of swapouts on this kernel") }
            let before = try #require(seen.truth.swappedBeforeReadPages)
            let grown = try #require(seen.truth.swappedAfterReadPages) - before
            let back = seen.truth.read.faults
            let ours = try #require(seen.row.swapoutPages)
            #expect(abs(ours - (grown + back)) <= 64, "\(ours) out; \(grown) grown, \(back) came back")
        }

        @Test("filters: another process's rows are not there; --by cgroup has the workload's own")
        func filters() throws {
            let seen = try trace(["--mb", "16", "--pageout"], options: ["--by", "cgroup"])
            #expect(seen.row.pid == nil && seen.row.processes ?? 0 >= 1)
            let cgroup = try #require(seen.row.cgroup)
            #expect(seen.truth.cgroupDirectory?.hasSuffix(cgroup) == true)
            let other = try Tool.run(["swapin", "--json", "-p", "1", "0.5", "1"])
            #expect(other.status == 0)
            #expect(try other.rows(SwapInRow.self).allSatisfy { $0.pid == 1 })
        }

        @Test("bcc's words and columns; no swap is said once, on standard error")
        func text() throws {
            let result = try Tool.run(["swapin", "-T", "0.2", "2"])
            #expect(result.status == 0)
            #expect(result.lines.first == "Counting swap ins. Ctrl-C to end.")
            #expect(result.lines.filter { $0 == "COMM             PID     COUNT" }.count == 2)
            #expect(result.lines.last == "Detaching...")
            #expect(result.errors.isEmpty == SwapSpace.isThere)
        }

        @Test("wrong use", arguments: [["0"], ["x"], ["-p", "0"], ["--by", "user"], ["1", "2", "3"]])
        func usage(arguments: [String]) throws {
            #expect(try Tool.run(["swapin"] + arguments).status == 64)
        }
    }
}
