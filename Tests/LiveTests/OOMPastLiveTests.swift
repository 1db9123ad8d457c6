// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// Kills that nothing was recorded of, by the kernel's own log of them.
    @Suite(.serialized) struct OOMPast {
        @Test("the last kill, by the kernel's log and by a copy of it")
        func latest() throws {
            // the kernel leaves out reports where ten were within five seconds (DEFAULT_RATELIMIT_INTERVAL)
            sleep(6)
            let truth: OOMHogTruth = try Workload.truth("oomhog", ["--kills", "1", "--adj", "17"])
            let victim = try #require(truth.victims.first)
            let finished = try Tool.run(["oomkill", "--past", "--json"])
            #expect(finished.status == 0, "\(finished.errors)")
            let row = try #require(try finished.rows(OOMKillExplanationRow.self).first)
            #expect(row.victimPid == victim.pid && row.source == "kernel_log")
            #expect(row.constraint == "memcg" && row.limitCgroup == truth.cgroup && row.limitBytes == truth.limitBytes)
            #expect(row.triggerPid == victim.triggerPid && row.growers.isEmpty)
            let chosen = try #require(row.candidates.first { $0.chosen })
            #expect(chosen.pid == victim.pid && row.candidates.first?.chosen == true)
            let touched = ((victim.touchedAnonKb ?? 0) + (victim.baseAnonKb ?? 0)) * 1024 / Int(getpagesize())
            #expect((chosen.points ?? 0) > touched)

            let saved = "\(Live.scratch)/swiftmem-past-\(getpid()).log"
            defer { unlink(saved) }
            let copied = try Tool.shell("dmesg -T | tail -n 2000 >\(saved)")
            #expect(copied.status == 0, "\(copied.errors)")
            let again = try Tool.run(["oomkill", "--explain", "-1", "--past", "--from", saved, "--json"])
            let copy = try #require(try again.rows(OOMKillExplanationRow.self).first)
            #expect(copy.victimPid == victim.pid && copy.candidates.map(\.points) == row.candidates.map(\.points))
            let seconds = try Tool.shell("dmesg | tail -n 2000 >\(saved)")
            #expect(seconds.status == 0)
            let refused = try Tool.run(["oomkill", "--past", "--from", saved])
            #expect(refused.status == 64 && refused.errors.contains("save it by dmesg -T"), "\(refused.errors)")
        }
    }
}
