// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// cachetop beside what is easily put to the wrong file or the wrong name.
    @Suite(.serialized, .exercises("cachetop")) struct CacheTopEdges {
        /// The ways of seeing page faults that this kernel has, by cachetop.
        private static func faultRungs() throws -> [String] {
            try Rungs.here("cachetop", "faults", of: ["tracepoint", "fentry", "kprobe"])
        }

        @Test(
            "writes to a private mapping count for the file they copy, and no other", .tags(.brief),
            arguments: try faultRungs(),
            ["--case private-write --count 1000", "--case private-children --count 50"])
        func copied(rung: String, arguments: String) throws {
            let workload = try Workload.start(
                "cacheedges", ["--dir", Live.scratch, "--wait"] + arguments.split(separator: " ").map(String.init))
            try workload.row(ReadyRow.self)
            let (tool, start) = try Tool.tracing(
                ["cachetop", "1000", "--by", "file", "--comm", "workload-cachee"], rung: "cachetop.faults=\(rung)")
            #expect(start.stands("faults", on: rung))
            workload.send("\n")
            let truth: CacheEdgeTruth = try workload.row()
            #expect(workload.finish().status == 0)
            let finished = tool.stop()
            let losses = try #require(try finished.rows(CacheTopIntervalRow.self).last).losses
            let file = try #require(try finished.rows(CacheTopRow.self).first { $0.file == truth.path })
            let faults = file.faultAccessPages ?? -1
            TestRecord.note("faults \(faults)/\(truth.faultPages)")
            #expect(abs(faults - truth.faultPages) <= losses.total, "\(faults) of \(truth.faultPages)")
        }

        /// Their CPUs add to the kernel's split counters at once, and one sees what another has added (BPF/lib/rss_follow.h).
        @Test(
            "threads that map pages of a file at once: each page counts once", .tags(.brief),
            arguments: try faultRungs())
        func together(rung: String) throws {
            let file = "\(Live.scratch)/swiftmem-together-\(getpid())"
            defer { try? FileManager.default.removeItem(atPath: file) }
            let (threads, pages) = (4, Live.inGuest ? 4096 : 16384)
            let running = try Running(Fixture.together.path(), [file, "\(threads)", "\(pages)"])
            try running.row(ReadyRow.self)
            let steps = Steps(running)
            let (tool, start) = try Tool.tracing(
                ["cachetop", "1000", "--by", "file", "-p", "\(steps.pid)"], rung: "cachetop.faults=\(rung)")
            #expect(start.stands("faults", on: rung))
            try steps.step("touch")
            let finished = tool.stop()
            steps.end()
            let losses = try #require(try finished.rows(CacheTopIntervalRow.self).last).losses
            let row = try #require(try finished.rows(CacheTopRow.self).first { $0.file?.hasSuffix(file) == true })
            let faults = row.faultAccessPages ?? -1
            TestRecord.note("faults \(faults)/\(threads * pages)")
            // a run that the kernel skipped may be one that names a window of pages (fault_around_bytes)
            let window = 16, skipped = losses.causes["skipped"] ?? 0
            #expect(
                faults <= threads * pages && faults >= threads * pages - skipped * window, "\(faults), \(losses)")
            #expect(losses.total == skipped, "\(losses)")
        }

        @Test("a short-lived command bears its own name, not its shell's")
        func names() throws {
            let file = "\(Live.scratch)/swiftmem-names-\(getpid())"
            defer { try? FileManager.default.removeItem(atPath: file) }
            try Data(count: 400 << 12).write(to: URL(fileURLWithPath: file))
            let tool = try Tool.tracing(["cachetop", "1000"]).tool
            let run = try Tool.shell("bash -c 'for i in 1 2 3 4 5; do /bin/cat \(file) >/dev/null; done; true'")
            #expect(run.status == 0)
            let rows = try tool.stop().rows(CacheTopRow.self).filter { ($0.readAccessPages ?? 0) >= 400 }
            #expect(rows.filter { $0.comm == "cat" }.count == 5, "\(rows.map { $0.comm ?? "-" })")
            #expect(!rows.contains { $0.comm == "bash" })
        }
    }
}
