// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// Verdicts beside workload-leakshapes, which does all at once.
    @Suite(.serialized, .exercises("memleak")) struct MemLeakVerdicts {
        @Test("leaks are named with their growth, harmless stacks never; what leaks comes first", .tags(.brief))
        func shapes() throws {
            let workload = try Workload.start("leakshapes", ["--seconds", "55", "--wait", "--hold"])
            let pid = try #require(workload.row(ReadyRow.self).pid)
            let options = ["memleak", "-p", "\(pid)", "--leak-after", "27", "-T", "100", "-o", "0", "5"]
            let tool = try Tool.tracing(options).tool
            workload.send("\n")
            // read as they come: a full pipe would hold the tool up
            for _ in 0..<10 { try tool.row(MemLeakSummaryRow.self) }
            let truth = try workload.row(ShapesTruth.self)
            tool.signal(SIGINT)
            let finished = tool.finish()
            workload.closeInput()
            _ = workload.finish()
            let rows = try finished.rows(MemLeakRow.self)
            let summaries = try finished.rows(MemLeakSummaryRow.self)
            let last = try #require(summaries.last)
            for shape in truth.shapes {
                let mine = rows.filter { $0.isOn { $0 == shape.function } }
                let words = mine.map(\.verdict).joined(separator: ", ")
                TestRecord.note("\(shape.shape): \(words)")
                let end = mine.last { $0.time == last.time }
                #expect((end?.count ?? 0) == shape.outstandingCount)
                guard shape.truth == "leak" else {
                    let called = shape.truth == "stopped" ? [end].compactMap(\.?.verdict) : mine.map(\.verdict)
                    #expect(!called.contains("leaking"), "\(shape.shape): \(words)")
                    continue
                }
                let row = try #require(end, "\(shape.shape)")
                #expect(row.verdict == "leaking", "\(shape.shape): \(words)")
                #expect(row.comm == "workload-leaksh")
                #expect(try #require(row.verdictConfidence) > 0.5)
                let growth = try #require(row.growthBytesPerSecond), error = try #require(row.growthBytesPerSecondError)
                let rate = Double(shape.leaksPerSecond * shape.sizeBytes)
                // the workload stands still between its truth and the last report
                #expect(abs(growth - rate) < 5 * error + rate / 4, "\(shape.shape): \(growth) ± \(error) of \(rate)")
                let alive = try #require(row.survival.tenSeconds, "\(shape.shape) at \(row.time)")
                let share = shape.shape == "noisy" ? 0.01 : 1
                #expect(abs(alive - share) < share / 2, "\(shape.shape): \(alive)")
            }
            let order = rows.filter { $0.time == last.time }.map(\.verdict)
            let leaking = truth.shapes.filter { $0.truth == "leak" }.count
            #expect(order.prefix(leaking).allSatisfy { $0 == "leaking" }, "\(order)")
            #expect(last.leakingStacks == leaking)
        }

        @Test("the id of a stack is the same in two runs, wherever the program is loaded; others have others")
        func ids() throws {
            func ids(_ options: [String] = []) throws -> [String: Set<String>] {
                let command = [MemLeaks.leaker, "--kind", "malloc,calloc,strdup", "--count", "10"]
                let report = try MemLeakTool.trace(nil, command, options: options)
                var ids: [String: Set<String>] = [:]
                for row in report.stacks {
                    for name in ["leak_here", "leak_calloc", "leak_strdup"] where row.isOn({ $0 == name }) {
                        ids[name, default: []].insert(row.id)
                    }
                }
                return ids
            }
            let first = try ids(), second = try ids(), byAddress = try ids(["--by", "address"])
            #expect(first.count == 3 && Set(first.values.joined()).count == 3)
            #expect(first == second)
            #expect(byAddress != first)
        }

        @Test("what is left out for its age is said")
        func younger() throws {
            let steps = try Workload.start("leaker", ["--count", "40", "--size", "100", "--wait", "--hold"])
            let pid = try #require(steps.row(ReadyRow.self).pid)
            let tool = try Tool.tracing(["memleak", "-p", "\(pid)", "-o", "600000", "1000"]).tool
            steps.send("\n")
            _ = try steps.row(LeakerTruth.self)
            tool.signal(SIGINT)
            let report = try MemLeakResult(tool.finish())
            steps.closeInput()
            _ = steps.finish()
            #expect(report.stacks.isEmpty)
            #expect(report.summary.youngerCount == 40 && report.summary.youngerBytes == 4000)
        }
    }
}

/// What workload-leakshapes did.
struct ShapesTruth: Row {
    static let type = "truth"

    struct Shape: Decodable, Sendable {
        let shape: String
        let function: String
        let truth: String
        let leaksPerSecond: Int
        let sizeBytes: Int
        let outstandingCount: Int
    }

    let shapes: [Shape]
}
