// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// memstall --stack beside workload-memstall, whose function `touch_anonymous` is where it stalls.
    @Suite(.serialized, .exercises("memstall")) struct MemStallStacks {
        /// The rows of the workload's task at its own limit, and the start.
        private func trace(_ options: [String], rung: String?, named: Bool) throws -> (rows: [MemStallRow], StartRow) {
            let swap = try SwapSpace()
            defer { swap.end() }
            let workload = try Workload.start(
                "memstall",
                [
                    "--wait", "--hold", "--seconds", named ? "4" : "8", "--mb", "60", "--limit-mb", "30",
                    "--directory", Live.scratch,
                ])
            let pid = try #require(try workload.row(ReadyRow.self).pid, "\(workload.finish().errors)")
            let (tool, start) = try Tool.tracing(
                ["memstall", "1000", "--stack"] + options + (named ? ["-p", "\(pid)"] : []), rung: rung)
            workload.send("\n")
            let truth: MemStallTruth = try workload.row()
            let result = tool.stop()
            workload.closeInput()
            #expect(workload.finish().status == 0 && result.status == 0, "\(result.errors)")
            #expect(truth.passes > 0 || Live.inMatrix)
            return (try result.rows(MemStallRow.self).filter { $0.pid == pid && $0.cause == "memcg_max" }, start)
        }

        private func names(_ frames: [MemStallRow.Stack.Frame]?) -> [String] { frames?.compactMap(\.symbol) ?? [] }

        static func rungs() throws -> [String] {
            try Rungs.here("memstall", "user_stacks", of: ["tables", "frame_pointers"], mode: "stack")
        }

        @Test(
            "the stacks' time is the row's, and they name the function that touches memory and what it ran into",
            .tags(.brief), arguments: try rungs())
        func named(rung: String) throws {
            let (rows, start) = try trace([], rung: "memstall.user_stacks=\(rung)", named: true)
            #expect(start.stands("user_stacks", on: rung))
            let row = try #require(rows.first), stacks = try #require(row.stacks)
            #expect(row.stalledNs > 0 && stacks.map(\.stalledNs).reduce(0, +) == row.stalledNs)
            #expect(stacks.map(\.count).reduce(0, +) == row.count)
            #expect(stacks.map(\.longestNs).max() == row.longestNs)
            #expect(stacks.map(\.stalledNs) == stacks.map(\.stalledNs).sorted(by: >))
            let touching = stacks.filter { names($0.userFrames).first == "touch_anonymous" }
            let time = touching.map(\.stalledNs).reduce(0, +)
            #expect(time * 100 >= row.stalledNs * 99, "\(stacks.map { names($0.userFrames) })")
            let first = try #require(touching.first)
            // without what traces, innermost
            let kernel = names(first.kernelFrames)
            #expect(kernel.contains { $0.hasPrefix("try_charge") }, "\(kernel)")
            #expect(!kernel.contains { $0.hasPrefix("bpf_") || $0.hasPrefix("__bpf") || $0.hasPrefix("__traceiter") })
            let places = first.kernelFrames?.map { "\($0.symbol ?? "-") [\($0.module ?? "-")]" } ?? []
            // a module's functions may lie between, a file system's or a driver's
            #expect(places.last?.hasSuffix("[kernel]") == true, "\(places)")
            TestRecord.note("\(places.filter { !$0.hasSuffix("[kernel]") })")
            #expect(names(first.userFrames).contains("main"))
            if rung == "tables" { #expect(first.stackEnd == "whole", "\(names(first.userFrames))") }
            TestRecord.note("\(stacks.count) stacks, \(time) of \(row.stalledNs) by touch_anonymous")
        }

        @Test("a process that nobody named: its stacks are whole once it has stalled; by process they add up too")
        func met() throws {
            let (rows, start) = try trace(["--by", "process"], rung: nil, named: false)
            let row = try #require(rows.first), stacks = try #require(row.stacks)
            #expect(row.tid == nil && stacks.map(\.stalledNs).reduce(0, +) == row.stalledNs)
            let touching = stacks.filter { names($0.userFrames).first == "touch_anonymous" }
            let isWhole = touching.contains { $0.stackEnd == "whole" }
            #expect(!touching.isEmpty, "\(stacks)")
            // an emulated CPU may take longer to read its files
            if start.rung("user_stacks") == "tables" && !Live.inMatrix { #expect(isWhole, "\(stacks)") }
        }

        @Test("text: below a row its stacks; with --trace they are refused")
        func text() throws {
            #expect(try Tool.run(["memstall", "--trace", "--stack"]).status == 64)
            let result = try Tool.run(["memstall", "--stack", "0.2", "1"])
            #expect(result.status == 0 && result.lines.first == "Tracing waits for memory. Ctrl-C to end.")
        }
    }
}
