// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// Starts that are cut short, and two at once.
    @Suite(.serialized) struct StartAndEnd {
        @Test("SIGINT at any moment of the start ends it without a trace")
        func earlySignal() throws {
            for delay in [0, 1, 2, 5, 10, 20, 40] {
                let tool = try Tool.start(["cachestat", "1000"])
                usleep(UInt32(delay) * 1000)
                let result = tool.stop(SIGINT)
                // before its first instruction the default holds; from then on a clean end
                #expect(result.status == 0 || (delay < 10 && result.status == -SIGINT))
            }
        }

        @Test("two copies at once, both true")
        func twoCopies() throws {
            let tools = try [Tool.tracing(["oomkill"]).tool, Tool.tracing(["oomkill"]).tool]
            let truth: OOMHogTruth = try Workload.truth("oomhog", ["--kills", "5"])
            for tool in tools {
                let kills = try tool.stop().rows(OOMKillRow.self).filter { $0.cgroup == truth.cgroup }
                #expect(kills.count == 5)
            }
        }
    }
}
