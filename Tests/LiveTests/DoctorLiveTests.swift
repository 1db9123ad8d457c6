// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibBPF
import Probes
import Testing

extension LiveTests {
    /// doctor's answers beside what the tools do.
    @Suite(.serialized) struct DoctorAnswers {
        @Test("doctor's choices are the tools' choices", .tags(.brief), arguments: ["oomkill", "cachestat"])
        func choices(tool: String) throws {
            let doctor = try #require(Doctor.all)
            let row = try #require(doctor.tools.first { $0.tool == tool })
            guard row.works else { throw Unsupported("\(tool): \(row.failure ?? "does not work here")") }
            // doctor shows a tool's widest run
            let store = "\(NSTemporaryDirectory())/doctor-\(UInt32.random(in: 0 ... .max))"
            defer { try? FileManager.default.removeItem(atPath: store) }
            let options = ["oomkill": ["--record", store], "cachestat": ["--readahead"]]
            let (running, start) = try Tool.tracing([tool] + (options[tool] ?? []))
            #expect(!row.ladders.isEmpty)
            for ladder in row.ladders { #expect(start.rung(ladder.ladder) == ladder.rung, "\(ladder.ladder)") }
            _ = running.stop()
        }

        @Test("the exit status says whether every tool works here", .tags(.brief))
        func works() throws {
            let doctor = try #require(Doctor.all)
            #expect(doctor.tools.count >= 2)
            #expect((doctor.finished.status == 0) == doctor.tools.allSatisfy { $0.works })
        }

        @Test("one tool alone, and a name that is none", .tags(.brief))
        func one() throws {
            let finished = try Tool.run(["doctor", "cachestat", "--json"])
            #expect(try finished.types() == ["doctor_machine", "doctor_tool"])
            #expect(try finished.rows(DoctorToolRow.self).map(\.tool) == ["cachestat"])
            let unknown = try Tool.run(["doctor", "cachestate"])
            #expect(unknown.status == 64)
            #expect(unknown.errors.contains("no tool is called cachestate; did you mean cachestat?"))
        }

        @Test("a feature that this kernel is new enough for is there, or refused for a known cause", .tags(.brief))
        func honesty() {
            let kernel = RunningKernel()
            for feature in KernelFeature.allCases where KernelVersion.running >= feature.since {
                let support = feature.support(on: kernel)
                // A kernel may be built without these, or locked down; a distribution's has them.
                let optional =
                    [.fentry, .kprobes, .tracefs].contains(feature)
                    && !Live.inMatrix
                #expect(support.isSupported || optional, "\(feature.name): \(support.reason)")
            }
        }
    }
}
