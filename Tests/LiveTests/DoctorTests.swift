// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibBPF
import Probes
import Testing

extension LiveTests {
    @Suite(.serialized) struct Doctor {
        @Test("doctor's choices are the tools' choices")
        func choices() throws {
            let doctor = try #require(Live.doctor)
            for row in doctor.objects(ofType: "doctor_tool") where row["works"] as? Bool == true {
                let name = try #require(row.text("tool"))
                // doctor shows a tool's widest run
                guard let options = ["oomkill": [], "cachestat": ["--readahead"]][name] else { continue }
                let (tool, rungs) = try Tool.tracing([name] + options)
                for ladder in row.rows("ladders") {
                    #expect(rungs.text(ladder.text("ladder") ?? "") == ladder.text("rung"))
                }
                _ = tool.stop()
            }
        }

        @Test("every tool works here, and the exit status says so")
        func works() throws {
            let doctor = try #require(Live.doctor)
            let rows = doctor.objects(ofType: "doctor_tool")
            #expect(rows.count >= 2)
            #expect((doctor.status == 0) == rows.allSatisfy { $0["works"] as? Bool == true })
        }

        @Test("one tool alone, and a name that is none")
        func one() throws {
            let rows = try Tool.run(["doctor", "cachestat", "--json"]).objects
            #expect(rows.compactMap { $0.text("type") } == ["doctor_machine", "doctor_tool"])
            #expect(rows.last?.text("tool") == "cachestat")
            let unknown = try Tool.run(["doctor", "cachestate"])
            #expect(unknown.status == 64)
            #expect(unknown.errors.contains("cachestate: no such tool; there are oomkill, cachestat"))
        }

        @Test("a feature that this kernel is new enough for is there, or refused for a known cause")
        func honesty() {
            let kernel = RunningKernel()
            for feature in KernelFeature.allCases where KernelVersion.running >= feature.since {
                let support = feature.support(on: kernel)
                // A kernel may be built without these, or locked down; a distribution's has them.
                let optional =
                    [.fentry, .kprobes, .tracefs].contains(feature)
                    && ProcessInfo.processInfo.environment["SWIFTMEM_RESULTS"] == nil
                #expect(support.isSupported || optional, "\(feature.name): \(support.reason)")
            }
        }
    }
}
