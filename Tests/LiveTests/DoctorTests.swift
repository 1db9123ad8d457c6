// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibBPF
import Testing

extension LiveTests {
    @Suite(.serialized) struct Doctor {
        @Test("doctor's choices are the tools' choices")
        func choices() throws {
            let doctor = try Tool.run(["doctor", "--json"])
            for row in doctor.objects(ofType: "doctor_tool") where row["works"] as? Bool == true {
                let name = try #require(row.text("tool"))
                guard ["oomkill", "cachestat"].contains(name) else { continue }
                let (tool, rungs) = try Tool.tracing([name])
                for ladder in row.rows("ladders") {
                    #expect(rungs.text(ladder.text("ladder") ?? "") == ladder.text("rung"))
                }
                _ = tool.stop()
            }
        }

        @Test("every tool works here, and the exit status says so")
        func works() throws {
            let doctor = try Tool.run(["doctor", "--json"])
            let rows = doctor.objects(ofType: "doctor_tool")
            #expect(rows.count >= 2)
            #expect((doctor.status == 0) == rows.allSatisfy { $0["works"] as? Bool == true })
        }

        @Test("a feature that this kernel is new enough for is there, or refused for a known cause")
        func honesty() {
            let kernel = RunningKernel()
            for feature in KernelFeature.all where KernelVersion.running >= feature.since {
                let support = feature.support(on: kernel)
                // A kernel may be built without these, or locked down; a distribution's has them.
                let optional = ["fentry", "kprobes", "tracefs"].contains(feature.name)
                    && ProcessInfo.processInfo.environment["SWIFTMEM_RESULTS"] == nil
                #expect(support.isSupported || optional, "\(feature.name): \(support.reason)")
            }
        }
    }
}
