// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// The recorder's file where things go wrong around it.
    @Suite(.serialized, .exercises("oomkill")) struct OOMHard {
        private func store() -> String { "\(NSTemporaryDirectory())/record-\(UInt32.random(in: 0 ... .max))" }

        /// From when to when a file has samples, by the answer to a question for a kill that is not there.
        private func span(_ store: String) throws -> (from: String, to: String) {
            let answer = try Tool.run(["oomkill", "--explain", "1000000", "--from", store])
            #expect(answer.status == 64)
            let match = try #require(
                answer.errors.firstMatch(of: /, from ([0-9TZ:.-]+) to ([0-9TZ:.-]+Z)/), "\(answer.errors)")
            return (String(match.1), String(match.2))
        }

        @Test("a recorder that is killed at any moment: what it wrote is there, and the next one goes on behind it")
        func killed() throws {
            let store = store()
            defer { try? FileManager.default.removeItem(atPath: store) }
            var first: String?
            var last = ""
            for round in 0..<5 {
                let tool = try Tool.tracing(["oomkill", "--record", store]).tool
                usleep(UInt32.random(in: 1_200_000..<2_300_000))
                _ = tool.stop(SIGKILL)
                let found = try span(store)
                #expect(first == nil || found.from == first, "round \(round)")
                #expect(found.to > last, "round \(round)")
                (first, last) = (found.from, found.to)
            }
        }

        @Test("a disk without room: said at the start; one that fills up later takes nothing from it")
        func full() throws {
            let store = store()
            defer { _ = try? Tool.shell("umount \(store)"); try? FileManager.default.removeItem(atPath: store) }
            let mounted = try Tool.shell("mkdir \(store) && mount -t tmpfs -o size=48m none \(store)")
            guard mounted.status == 0 else { throw Live.lacking("no tmpfs can be mounted: \(mounted.errors)") }
            #expect(try Tool.shell("head -c 20M /dev/zero >\(store)/other").status == 0)
            let refused = try Tool.run(["oomkill", "--record", store, "-d", "1"])
            #expect(
                refused.status == 74 && refused.errors.contains("name a directory that has room"), "\(refused.errors)")
            // nothing of what it tried is left
            #expect(try Tool.shell("test $(stat -c %s \(store)/oomkill.ring) = 0").status == 0)

            #expect(try Tool.shell("rm \(store)/other").status == 0)
            let tool = try Tool.tracing(["oomkill", "--record", store]).tool
            #expect(try Tool.shell("cat /dev/zero >\(store)/other").status != 0)
            let cgroup = try OOMRecords.LimitedCgroup()
            let grower = try cgroup.grower(24)
            let kill = try tool.row(OOMKillRow.self)
            #expect(kill.victimPid == grower.pid)
            let finished = tool.stop(SIGTERM)
            #expect(finished.status == 0 && !finished.errors.contains("No space"), "\(finished.errors)")
            _ = grower.finish()
            let explained = try Tool.run(["oomkill", "--explain", "latest", "--from", store, "--json"])
            let row = try #require(try explained.rows(OOMKillExplanationRow.self).first, "\(explained.errors)")
            #expect(row.victimPid == grower.pid && row.growers.first?.pid == Int(grower.pid))
        }

        @Test(
            "the time of day is set back and forth: order, rates and ages hold",
            .enabled(if: Live.inGuest, "it sets the machine's clock: guests alone"))
        func clock() throws {
            let store = store()
            defer { try? FileManager.default.removeItem(atPath: store) }
            let tool = try Tool.tracing(["oomkill", "--record", store]).tool
            sleep(3)
            let cgroup = try OOMRecords.LimitedCgroup()
            let grower = try cgroup.grower(6)
            for step in ["+2 hours", "-3 hours", "+90 seconds", "-1 day", "+5 seconds"] {
                sleep(2)
                let set = try Tool.shell(
                    "date -s \"$(date '+%F %T') \(step)\" 2>&1 || date -s \"@$(( $(date +%s) + 100 ))\"")
                #expect(set.status == 0, "\(set.errors)")
            }
            let kill = try tool.row(OOMKillRow.self)
            #expect(kill.victimPid == grower.pid && tool.stop(SIGINT).status == 0)
            _ = grower.finish()
            let explained = try Tool.run(["oomkill", "--explain", "latest", "--from", store, "--json"])
            let row = try #require(try explained.rows(OOMKillExplanationRow.self).first, "\(explained.errors)")
            let found = try #require(row.growers.first)
            #expect(row.victimPid == grower.pid && found.pid == grower.pid)
            TestRecord.note("6 MB/s: \((found.bytesPerSecond / (6 * 1_048_576) - 1) * 100) % off")
            #expect(abs(found.bytesPerSecond / (6 * 1_048_576) - 1) < 0.05)
            #expect((row.sampleAgeSeconds ?? 99) < 4)
            // in the clock as it was at the kill, one after the other
            let times = row.usage.map(\.time)
            #expect(times.count > 10 && times == times.sorted(), "\(times)")
            #expect(found.since < (times.last ?? ""))
        }
    }
}
