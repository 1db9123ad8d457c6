// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibBPF
import Probes
import Testing

extension LiveTests {
    /// Tests/LiveTests/verifier-budget.tsv has the verifier's work on each program by
    /// kernel. A program that grows by more than a fifth fails until the table is
    /// made anew on purpose (Scripts/budget).
    @Suite(.serialized) struct Verifier {
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

        @Test("no program is more than a fifth over its budget")
        func budget() throws {
            let kernel = KernelVersion.running.description
            let budget = try Self.budget(kernel: kernel)
            let rows = try Tool.run(["doctor", "--json", "--verifier"]).objects(ofType: "doctor_verifier")
            #expect(!rows.isEmpty)
            for row in rows {
                let tool = try #require(row.text("tool")), program = try #require(row.text("program"))
                let count = try #require(row.int("instructions"), "\(tool).\(program) was not measured")
                Live.recordVerifier(tool, program, count)
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
