// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Swap on the machine as it is, or on zram for one test.
private struct SwapSpace {
    private let holder: Running?

    /// nil where there is no swap and no zram.
    init?() throws {
        let swaps = (try? String(contentsOfFile: "/proc/swaps", encoding: .utf8)) ?? ""
        if swaps.split(separator: "\n").count > 1 {
            holder = nil
            return
        }
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Workloads/with-zram")
        let running = try Running(script, ["256", "/bin/sh", "-c", "echo ready; cat"])
        guard (try? running.line()) == "ready" else { return nil }
        holder = running
    }

    func end() {
        holder?.closeInput()
        _ = holder?.finish()
    }
}

extension LiveTests {
    @Suite(.serialized, .enabled(if: Live.works("swapin"))) struct SwapIns {
        struct Case: Sendable, CustomTestStringConvertible {
            let arguments: [String]
            var testDescription: String { arguments.joined(separator: " ") }
        }

        /// A swapper's read phase under the trace: its truth, its row, all intervals, the rungs.
        private func trace(
            _ arguments: [String], options: [String] = [], rung: String? = nil, ladder: String = ""
        ) throws -> (truth: [String: Any], row: [String: Any], intervals: [[String: Any]], rungs: [String: Any])? {
            guard let swap = try SwapSpace() else {
                #expect(!Live.required, "no swap here and no zram")
                return nil
            }
            defer { swap.end() }
            let workload = try Workload.start("swapper", ["--wait-read"] + arguments)
            let pid = try #require(try workload.object("ready").int("pid"))
            let (tool, rungs) = try Tool.tracing(
                ["swapin", "1000"] + options,
                environment: rung.map { ["SWIFTMEM_RUNG": "swapin\(ladder)=\($0)"] } ?? [:])
            workload.send("\n")
            let truth = try workload.object("truth")
            let all = tool.stop()
            workload.closeInput()
            #expect(workload.finish().status == 0)
            #expect(all.status == 0)
            let rows = all.objects(ofType: "swapin")
            let row =
                rows.first { $0.int("pid") == pid }
                ?? rows.first { options.contains("--by") && ($0.text("cgroup") ?? "").contains("swiftmem-swap") }
            return (truth, try #require(row), all.objects(ofType: "swapin_interval"), rungs)
        }

        @Test(
            "pages equal the kernel's own counters, on every rung",
            arguments: [
                Case(arguments: ["--mb", "32", "--pageout"]),
                Case(arguments: ["--mb", "32", "--pageout", "--order", "rand"]),
                Case(arguments: ["--mb", "32", "--pageout", "--fill", "zero"]),
                Case(arguments: ["--mb", "32", "--limit-mb", "16"]),
            ])
        func pages(_ one: Case) throws {
            for rung in try availableRungs("swapin", "pages", of: ["tracepoint", "fentry", "kprobe", "rss_stat"]) {
                guard let (truth, row, intervals, rungs) = try trace(one.arguments, rung: rung) else { return }
                #expect(isRung(rungs.text("pages"), rung))
                let interval = try #require(intervals.last)
                let keys = ["vmstat_pswpin_pages", "vmstat_zswpin_pages", "vmstat_swpin_zero_pages"]
                let kernel = keys.reduce(0) { $0 + (interval.int($1) ?? 0) }
                let read = truth.object("read"), vmstat = read.object("vmstat")
                let ours = try #require(row.int("swapin_pages"))
                let slack = 66
                let expected: Int
                if rung == "rss_stat" {
                    // what the faults mapped; until 6.1 a thread keeps those of 66 faults back
                    // (TASK_RSS_EVENTS_THRESH of mm/memory.c, compared before it is counted up)
                    expected = (read.int("minflt") ?? 0) + (read.int("majflt") ?? 0)
                    #expect(abs(ours - expected) <= slack, "\(ours) mapped, \(expected) faults")
                } else {
                    expected = ["pswpin", "zswpin", "swpin_zero"].reduce(0) { $0 + (vmstat.int($1) ?? 0) }
                    #expect(interval.int("swapin_pages") == kernel)
                    // the machine's counters hold other processes' pages too
                    #expect(ours <= expected && expected - ours <= slack, "\(ours) ours, \(expected) true")
                    if let zero = vmstat.int("swpin_zero") { #expect(row.int("zero_pages") == zero) }
                }
                let losses = interval.object("losses").values.compactMap { ($0 as? NSNumber)?.intValue }
                #expect(losses.allSatisfy { $0 == 0 }, "\(interval.object("losses"))")
                Live.record(
                    "swapin", Live.names(rungs), one.testDescription, abs(ours - expected) <= slack,
                    "pages \(ours)/\(expected)")
            }
        }

        @Test("waits are no more than the read phase took, and every fault has one")
        func waits() throws {
            for rung in try availableRungs("swapin", "waits", of: ["fentry", "kprobe", "tracepoint"]) {
                guard let (truth, row, _, rungs) = try trace(["--mb", "32", "--pageout"], rung: rung, ladder: ".waits")
                else { return }
                #expect(isRung(rungs.text("waits"), rung))
                let read = truth.object("read")
                let wait = try #require(row.int("wait_ns")), longest = try #require(row.int("wait_max_ns"))
                #expect(wait > 0 && wait <= read.int("duration_ns") ?? 0)
                #expect(longest > 0 && longest <= wait)
                #expect(row.int("waits") == (read.int("minflt") ?? 0) + (read.int("majflt") ?? 0))
                Live.record(
                    "swapin", Live.names(rungs), "waits", wait <= read.int("duration_ns") ?? 0,
                    "wait \(wait) of \(read.int("duration_ns") ?? 0) ns")
            }
        }

        @Test("swap-outs are the growth of the process's swap and what came back meanwhile")
        func swapouts() throws {
            guard let (truth, row, _, rungs) = try trace(["--mb", "32", "--limit-mb", "16"]) else { return }
            guard rungs.text("swapouts") != nil else { return }
            let read = truth.object("read")
            let grown =
                try #require(truth.int("swapped_after_read_pages"))
                - (try #require(truth.int("swapped_before_read_pages")))
            let back = (read.int("minflt") ?? 0) + (read.int("majflt") ?? 0)
            let ours = try #require(row.int("swapout_pages"))
            #expect(abs(ours - (grown + back)) <= 64, "\(ours) out; \(grown) grown, \(back) came back")
        }

        @Test("filters: another process's rows are not there; --by cgroup has the workload's own")
        func filters() throws {
            guard let (truth, row, _, _) = try trace(["--mb", "16", "--pageout"], options: ["--by", "cgroup"]) else {
                return
            }
            #expect(row.isNull("pid") && row.int("processes") ?? 0 >= 1)
            #expect(truth.text("cgroup_directory")?.hasSuffix(row.text("cgroup") ?? "?") == true)
            let other = try Tool.run(["swapin", "--json", "-p", "1", "0.5", "1"])
            #expect(other.objects(ofType: "swapin").allSatisfy { $0.int("pid") == 1 })
        }

        @Test("bcc's words and columns; no swap is said once, on standard error")
        func text() throws {
            let result = try Tool.run(["swapin", "-T", "0.2", "2"])
            #expect(result.status == 0)
            #expect(result.lines.first == "Counting swap ins. Ctrl-C to end.")
            #expect(result.lines.filter { $0 == "COMM             PID     COUNT" }.count == 2)
            #expect(result.lines.last == "Detaching...")
            let swaps = (try? String(contentsOfFile: "/proc/swaps", encoding: .utf8)) ?? ""
            #expect(result.errors.isEmpty == (swaps.split(separator: "\n").count > 1))
        }

        @Test("wrong use", arguments: [["0"], ["x"], ["-p", "0"], ["--by", "user"], ["1", "2", "3"]])
        func usage(arguments: [String]) throws {
            #expect(try Tool.run(["swapin"] + arguments).status == 64)
        }
    }
}
