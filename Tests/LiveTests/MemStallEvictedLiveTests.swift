// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// memstall --evicted beside workload-memstall: two cgroups below a limit, of which one grows. The truth is
    /// memory.stat of both, and what the tool's own rows of reclaim have freed.
    @Suite(.serialized, .exercises("memstall")) struct MemStallEvictions {
        static func rungs() throws -> [String] {
            try Rungs.here("memstall", "evictions", of: ["lists", "events", "fentry", "kprobe"])
        }

        /// Equal but for what a batch of reclaim has on its way.
        private func agree(_ ours: Int, _ theirs: Int) -> Bool { abs(ours - theirs) <= max(128, theirs / 50) }

        private func compare(_ rows: [MemStallEvictionRow], _ owner: String?, _ taken: MemStallTruth.Taken?) throws {
            let owner = try #require(owner), taken = try #require(taken)
            let pages = rows.filter { $0.ownerCgroup == owner }
            let sum = pages.map(\.pages).reduce(0, +)
            if let stolen = taken.pgsteal { #expect(agree(sum, stolen), "\(sum) of \(stolen) of \(owner)") }
            if let first = pages.first {
                // its own code may have come back before the workload began to count, and behind its end
                let back = try #require(first.ownerRefaultedAnonymousPages)
                #expect(agree(back, try #require(taken.workingsetRefaultAnon)), "\(first) \(taken)")
                #expect(first.ownerRefaultedFilePages != nil)
            }
            TestRecord.note("\(owner): \(sum)/\(taken.pgsteal ?? -1), back \(taken.workingsetRefaultAnon ?? -1)")
        }

        @Test(
            "a cgroup that grows takes another's pages: as many as memory.stat says, of either",
            .tags(.brief), arguments: try rungs())
        func victim(rung: String) throws {
            let swap = try SwapSpace()
            defer { swap.end() }
            let workload = try Workload.start(
                "memstall",
                [
                    "--wait", "--hold", "--seconds", "4", "--mb", "60", "--limit-mb", "30", "--parent", "--victim", "8",
                    "--directory", Live.scratch,
                ])
            _ = try #require(try workload.row(ReadyRow.self).pid, "\(workload.finish().errors)")
            let (tool, start) = try Tool.tracing(
                ["memstall", "1000", "--evicted"], rung: "memstall.evictions=\(rung)")
            workload.send("\n")
            let truth: MemStallTruth = try workload.row()
            let result = tool.stop()
            workload.closeInput()
            #expect(workload.finish().status == 0 && result.status == 0, "\(result.errors)")
            #expect(start.stands("evictions", on: rung))
            let rows = try result.rows(MemStallEvictionRow.self).filter { $0.limitCgroup == truth.limitCgroup }
            let taken = try #require(
                rows.first { $0.evictorCgroup == truth.cgroup && $0.ownerCgroup == truth.victimCgroup }, "\(rows)")
            #expect(taken.anonymousPages > 0 && taken.cause == "memcg_max")
            #expect(rows.allSatisfy { $0.unknownPages * 100 <= $0.pages }, "\(rows)")
            #expect(rows.allSatisfy { $0.filePages * 10 <= $0.pages || $0.pages < 500 }, "\(rows)")
            try compare(rows, truth.cgroup, truth.taken)
            try compare(rows, truth.victimCgroup, truth.victimTaken)
            let freed = try result.rows(MemStallRow.self).filter { $0.limitCgroup == truth.limitCgroup }
                .map(\.reclaimedPages).reduce(0, +)
            let sum = rows.map(\.pages).reduce(0, +)
            #expect(agree(sum, freed), "\(sum) of \(freed)")
            TestRecord.note("\(sum) of \(freed) pages, \(taken.pages) of the victim's by the other")
        }

        @Test("files' pages are told from anonymous ones", .tags(.brief))
        func files() throws {
            let workload = try Workload.start(
                "memstall",
                [
                    "--wait", "--hold", "--seconds", "3", "--kind", "file", "--mb", "60", "--limit-mb", "30",
                    "--directory", Live.scratch,
                ])
            let pid = try #require(try workload.row(ReadyRow.self).pid, "\(workload.finish().errors)")
            let (tool, start) = try Tool.tracing(["memstall", "1000", "--evicted", "-p", "\(pid)"], rung: nil)
            guard start.rung("evictions") != nil else {
                _ = tool.stop()
                throw Unsupported("no rung of evictions on this kernel")
            }
            workload.send("\n")
            let truth: MemStallTruth = try workload.row()
            let result = tool.stop()
            workload.closeInput()
            #expect(workload.finish().status == 0 && result.status == 0)
            let rows = try result.rows(MemStallEvictionRow.self)
            let sum = rows.map(\.filePages).reduce(0, +)
            #expect(sum > 0 && rows.map(\.pages).reduce(0, +) - sum <= sum / 20, "\(rows)")
            #expect(rows.allSatisfy { $0.evictorCgroup == truth.cgroup && $0.ownerCgroup == truth.cgroup }, "\(rows)")
            if let stolen = truth.taken.pgsteal { #expect(agree(rows.map(\.pages).reduce(0, +), stolen)) }
        }

        @Test("text says whose pages; with --trace it is refused")
        func text() throws {
            #expect(try Tool.run(["memstall", "--trace", "--evicted"]).status == 64)
            let result = try Tool.run(["memstall", "--evicted", "0.2", "1"])
            #expect(result.status == 0)
        }
    }
}
