// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// Kills by programs. A copy of kill(1) that is called as a daemon is sends what the daemon would.
    @Suite(.serialized, .exercises("oomkill")) struct OOMSent {
        /// A program of this name that sends signals.
        private func sender(_ name: String, in directory: String) throws -> String {
            let path = "\(directory)/\(name)"
            try FileManager.default.copyItem(atPath: "/bin/kill", toPath: path)
            return path
        }

        @Test(
            "earlyoom's SIGTERM and SIGKILL have a row each, of what the victim held; a plain kill has none",
            .tags(.brief))
        func daemons() throws {
            let directory = "\(Live.scratch)/swiftmem-sent-\(getpid())"
            #expect(mkdir(directory, 0o755) == 0)
            defer { try? FileManager.default.removeItem(atPath: directory) }
            let daemon = try sender("earlyoom", in: directory), other = try sender("ender", in: directory)
            let tool = try Tool.tracing(["oomkill"]).tool
            let held = 8_000_000
            // its pages are touched; SIGTERM is passed over
            let holder = try Running(
                "/bin/bash", ["-c", #"trap "" TERM; x=$(head -c \#(held) /dev/zero | tr "\\0" x); echo; read -r"#])
            _ = try holder.line()
            let plain = try Running("/bin/sleep", ["60"])
            let sent = try Tool.shell(
                "\(other) -9 \(plain.pid); \(daemon) -15 \(holder.pid); \(daemon) -9 \(holder.pid)")
            #expect(sent.status == 0, "\(sent.errors)")
            _ = (plain.finish(), holder.finish())
            let finished = tool.stop()
            #expect(finished.status == 0)
            let rows = try finished.rows(OOMKillUserspaceRow.self)
            #expect(rows.map(\.signal) == ["SIGTERM", "SIGKILL"])
            for row in rows {
                #expect(row.killer == "earlyoom" && row.senderComm == "earlyoom" && row.senderPid > 1)
                #expect(row.inferredFrom.first == "sender_name")
                #expect(row.victimPid == holder.pid && row.victimComm == "bash" && row.victimUid == 0)
                #expect(row.victimCmdline?.hasPrefix("/bin/bash -c trap") == true)
                let anon = try #require(row.anonRssBytes)
                #expect(anon > held && anon < 6 * held, "\(anon)")
                #expect((row.totalBytes ?? 0) > anon)
            }
            let summary = try #require(try finished.rows(OOMKillSummaryRow.self).last)
            #expect(summary.userspaceKills == 2 && summary.cgroups.map(\.userspaceKills) == [2])
        }

        @Test("text, and a filter of victims")
        func text() throws {
            let directory = "\(Live.scratch)/swiftmem-sent-\(getpid())"
            #expect(mkdir(directory, 0o755) == 0)
            defer { try? FileManager.default.removeItem(atPath: directory) }
            let daemon = try sender("systemd-oomd", in: directory)
            let chosen = try Running("/bin/sleep", ["60"]), other = try Running("/bin/sleep", ["60"])
            let tool = try Running(Tool.binary, ["oomkill", "-p", "\(chosen.pid)"])
            _ = try tool.line()
            let sent = try Tool.shell("\(daemon) -9 \(other.pid); \(daemon) -9 \(chosen.pid)")
            #expect(sent.status == 0, "\(sent.errors)")
            _ = (chosen.finish(), other.finish())
            let first = try tool.line()
            #expect(first.hasSuffix(#"("systemd-oomd") to PID \#(chosen.pid) ("sleep")"#), "\(first)")
            #expect(first.contains(" systemd-oomd: SIGKILL from PID "))
            #expect(tool.stop(SIGINT).status == 0)
        }

        @Test("a daemon's kill is in the recorder's file, and which process took the victim's place")
        func recorded() throws {
            let directory = "\(Live.scratch)/swiftmem-sent-\(getpid())"
            #expect(mkdir(directory, 0o755) == 0)
            defer { try? FileManager.default.removeItem(atPath: directory) }
            let daemon = try sender("nohang", in: directory), other = try sender("ender", in: directory)
            let cgroup = try OOMRecords.LimitedCgroup()
            let tool = try Tool.tracing(["oomkill", "--record", directory]).tool
            let first = try cgroup.grower(2), plain = try Running("/bin/sleep", ["60"])
            sleep(4)
            let sent = try Tool.shell("\(other) -9 \(plain.pid); \(daemon) -9 \(first.pid)")
            #expect(sent.status == 0, "\(sent.errors)")
            _ = (plain.finish(), first.finish())
            let live = try tool.row(OOMKillUserspaceRow.self)
            // as a supervisor does it
            sleep(1)
            let second = try cgroup.grower(2)
            sleep(4)
            #expect(tool.stop(SIGTERM).status == 0)
            _ = second.stop(SIGKILL)
            let explained = try Tool.run(["oomkill", "--explain", "latest", "--from", directory, "--json"])
            let row = try #require(try explained.rows(OOMKillExplanationRow.self).first, "\(explained.errors)")
            #expect(row.killer == "nohang" && row.killerPid == live.senderPid && row.signal == "SIGKILL")
            #expect(row.inferredFrom == live.inferredFrom && row.killId == nil && row.constraint == nil)
            #expect(row.victimPid == first.pid && row.source == "recorder" && row.advice.isEmpty)
            let grower = try #require(row.growers.first { $0.pid == first.pid })
            #expect(abs(grower.bytesPerSecond / (2 * 1_048_576) - 1) < 0.05 && grower.cgroup == cgroup.path)
            let restart = try #require(row.restart)
            #expect(restart.pid == second.pid && restart.cgroup == cgroup.path)
            #expect(restart.afterSeconds > 0.9 && restart.afterSeconds < 30, "\(restart.afterSeconds)")
            // one that was ended by kill -9 is none
            #expect(try Tool.run(["oomkill", "--explain", "2", "--from", directory]).status == 64)
        }
    }
}
