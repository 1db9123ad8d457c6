// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibBPF
import Probes
import Testing

extension LiveTests {
    /// Tests/LiveTests/verifier-budget.tsv has the verifier's work on each program by
    /// kernel. A program that grows by more than a fifth fails until the table is
    /// made anew on purpose (Scripts/budget).
    @Suite(.serialized) struct VerifierBudget {
        static let table = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("verifier-budget.tsv")

        static func budget(kernel: String) throws -> [String: Int] {
            var budget: [String: Int] = [:]
            for line in try String(contentsOf: table, encoding: .utf8).split(separator: "\n") {
                let fields = line.split(separator: "\t")
                guard fields.count == 4, fields[0] == kernel, let count = Int(fields[3]) else { continue }
                budget["\(fields[1]).\(fields[2])"] = count
            }
            return budget
        }

        @Test("no program is more than a fifth over its budget", .tags(.brief))
        func budget() throws {
            #if arch(arm64)
                let kernel = "\(KernelVersion.running)-arm64"
            #else
                let kernel = KernelVersion.running.description
            #endif
            let budget = try Self.budget(kernel: kernel)
            let rows: [DoctorVerifierRow] = try Tool.run(["doctor", "--json", "--verifier"]).rows()
            #expect(!rows.isEmpty)
            for row in rows {
                let tool = row.tool, program = row.program
                let count = try #require(row.instructions, "\(tool).\(program) was not measured")
                ResultsFile.append(verifier: tool, program, count)
                // budgets are the matrix's: loops over the CPUs cost as many as there are
                guard !budget.isEmpty, Live.inMatrix else { continue }
                guard let allowed = budget["\(tool).\(program)"] else {
                    Issue.record("\(tool).\(program) has no budget on \(kernel): run Scripts/budget")
                    continue
                }
                #expect(count <= allowed + allowed / 5, "\(tool).\(program): \(count) instructions, budget \(allowed)")
            }
        }
    }
}
