// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// newtool beside workload-newtool, whose truth is what it started.
    @Suite(.serialized, .exercises("newtool")) struct NewToolCounts {
        /// The ways of seeing tasks that this kernel has.
        private static func rungs() throws -> [String] {
            try Rungs.here("newtool", "tasks", of: ["tracepoint", "raw", "record"])
        }

        /// Runs the workload to its end under a trace.
        private func trace(
            rung: String? = nil, choosing: (Int) -> [String]
        ) throws -> (pid: Int, truth: NewToolTruth, interval: NewToolIntervalRow, start: StartRow) {
            let workload = try Workload.start("newtool", ["--wait", "--processes", "211", "--threads", "101"])
            let pid = try #require(try workload.row(ReadyRow.self).pid)
            let (tool, start) = try Tool.tracing(
                ["newtool", "1000"] + choosing(pid), rung: rung.map { "newtool=\($0)" })
            workload.send("\n")
            let truth: NewToolTruth = try workload.row()
            #expect(workload.finish().status == 0)
            let all = tool.stop()
            #expect(all.status == 0)
            return (pid, truth, try #require(try all.rows(NewToolIntervalRow.self).last), start)
        }

        @Test(
            "a process's tasks and threads are those it started, on every rung", .tags(.brief), arguments: try rungs())
        func counts(rung: String) throws {
            let (pid, truth, interval, start) = try trace(rung: rung) { ["-p", "\($0)"] }
            #expect(start.stands("tasks", on: rung))
            // no other process is in the report
            #expect(interval.processes.map(\.pid) == [pid])
            let row = try #require(interval.processes.first)
            #expect(row.tasks == truth.tasks && interval.tasks == truth.tasks)
            // the record does not tell threads from processes: unknown is not 0
            #expect(row.threads == (rung == "record" ? nil : truth.threads))
            #expect(interval.threads == row.threads)
            #expect(interval.losses.causes.isEmpty, "\(interval.losses)")
            TestRecord.note("tasks \(row.tasks)/\(truth.tasks)")
        }

        @Test("of the whole machine the process's row is the same, and rows sum to the interval")
        func wholeMachine() throws {
            let (pid, truth, interval, _) = try trace { _ in [] }
            let row = try #require(interval.processes.first { $0.pid == pid })
            #expect(row.tasks == truth.tasks)
            #expect(interval.processes.map(\.tasks).reduce(0, +) == interval.tasks)
        }

        @Test("text: a heading, then a line for the process")
        func text() throws {
            // as much of its name as the kernel keeps
            let comm = String("workload-newtool".prefix(15))
            let tool = try Tool.start(["newtool", "1000", "--comm", comm])
            #expect(try tool.line() == "COMM             PID        TASKS  THREADS")
            let truth: NewToolTruth = try Workload.truth("newtool", ["--processes", "7", "--threads", "3"])
            let line = try #require(tool.stop().lines.first { $0.hasPrefix(comm) })
            let words = line.split(separator: " ")
            #expect(words.count == 4 && words[2] == "\(truth.tasks)")
            #expect(words.last == "\(truth.threads)" || words.last == "?")
        }
    }
}
