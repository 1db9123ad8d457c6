// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// shmsnoop beside workload-shmcalls, whose truth is what it called and what it was answered.
    @Suite(.serialized, .exercises("shmsnoop")) struct ShmSnoops {
        private struct Observed {
            let truth: ShmCallsTruth
            /// Those of the workload's process.
            let calls: [ShmSnoopRow]
            let losses: Losses
        }

        /// A known sequence under the trace.
        private func trace(_ workload: [String], options: [String] = [], rung: String) throws -> Observed {
            let running = try Workload.start("shmcalls", ["--wait"] + workload)
            guard (try? running.row(ReadyRow.self)) != nil else { throw try lacking(running) }
            let (tool, start) = try Tool.tracing(["shmsnoop"] + options, rung: "shmsnoop=\(rung)")
            #expect(start.stands("calls", on: rung))
            running.send("\n")
            guard let truth = try? running.row(ShmCallsTruth.self) else {
                _ = tool.stop()
                throw try lacking(running)
            }
            #expect(running.finish().status == 0)
            let all = tool.stop()
            #expect(all.status == 0)
            let summary = try #require(try all.rows(ShmSnoopSummaryRow.self).last)
            let calls = try all.rows(ShmSnoopRow.self).filter { $0.pid == truth.pid }
            TestRecord.note("calls \(calls.count)/\(truth.callsMade)")
            return Observed(truth: truth, calls: calls, losses: summary.losses)
        }

        /// Why the workload did not run: no 32-bit programs, no /dev/shm.
        private func lacking(_ workload: Running) throws -> Unsupported {
            let finished = workload.finish()
            try #require(finished.status == 69, "\(finished.errors)")
            return Unsupported(finished.errors.trimmingCharacters(in: .whitespacesAndNewlines))
        }

        /// What both sides say of a call: its name, result, errno and arguments.
        private func key(true call: ShmCallsTruth.Call) -> String {
            let failed = call.errno != 0
            let result = failed ? -1 : call.attachedAt ?? call.ret ?? 0
            let error = failed ? call.errnoName ?? "?" : "-"
            let arguments: [Int?] =
                switch call.call {
                case "shmget": [call.key, call.sizeBytes]
                case "shmat": [call.shmid, call.shmaddr.map { $0 & 0xffff_ffff }]
                case "shmdt": [call.shmaddr.map { $0 & 0xffff_ffff }]
                case "shmctl": [call.shmid, call.buf.map { $0 & 0xffff_ffff }]
                case "ftruncate": [call.fd, call.sizeBytes]
                case "mmap", "munmap": [call.addr, call.sizeBytes]
                default: []
                }
            return "\(call.call) \(result) \(error) \(arguments.map { $0 ?? -1 })"
        }

        private func key(ours call: ShmSnoopRow) -> String {
            let address = call.address?.value
            let arguments: [Int?] =
                switch call.call {
                case "shmget": [call.key, call.sizeBytes]
                case "shmat", "shmctl": [call.shmid, address.map { $0 & 0xffff_ffff }]
                case "shmdt": [address.map { $0 & 0xffff_ffff }]
                case "ftruncate": [call.fd, call.sizeBytes]
                case "mmap", "munmap": [address, call.sizeBytes]
                default: []
                }
            return "\(call.call) \(call.result ?? 0) \(call.errno ?? "-") \(arguments.map { $0 ?? -1 })"
        }

        /// The ways of seeing calls that this kernel has.
        private static func rungs(of all: [String] = ["record", "tracepoint", "syscalls"]) throws -> [String] {
            try Rungs.here("shmsnoop", "calls", of: all)
        }

        @Test(
            "every call with its arguments, result and errno, in order, on every rung", .tags(.brief),
            arguments: try rungs())
        func sysv(rung: String) throws {
            let seen = try trace([], rung: rung)
            let expected = try #require(seen.truth.calls).map(key(true:))
            #expect(!expected.isEmpty)
            #expect(seen.calls.map(key(ours:)) == expected)
            #expect(seen.losses.causes.isEmpty, "\(seen.losses)")
        }

        /// What both strace and shmsnoop say of a call: its name, first arguments, result and errno.
        private func key(strace line: String) -> String? {
            let pattern = /\d+ +(shm\w+)\((.*)\) += (-?[0-9a-fx]+)(?: (E\w+) .*)?/
            guard let match = line.wholeMatch(of: pattern) else { return nil }
            func number(_ word: Substring) -> Int {
                word == "NULL" ? 0 : word.hasPrefix("0x") ? Int(word.dropFirst(2), radix: 16) ?? -2 : Int(word) ?? -2
            }
            let words = match.2.split(separator: ",").map { number($0.drop { $0 == " " }) }
            // what shmctl's buffer holds is spelt out
            let shown = match.1 == "shmget" || match.1 == "shmat" ? 2 : 1
            return "\(match.1) \(words.prefix(shown)) \(number(match.3)) \(match.4 ?? "-")"
        }

        private func key(besideStrace call: ShmSnoopRow) -> String {
            let arguments: [Int?] =
                switch call.call {
                // strace has keys without a sign
                case "shmget": [call.key.map { $0 & 0xffff_ffff }, call.sizeBytes]
                case "shmat": [call.shmid, call.address?.value]
                case "shmdt": [call.address?.value]
                default: [call.shmid]
                }
            return "\(call.call) \(arguments.map { $0 ?? -2 }[...]) \(call.result ?? -2) \(call.errno ?? "-")"
        }

        @Test("line by line what strace has", .enabled(if: access("/usr/bin/strace", X_OK) == 0, "no strace here"))
        func strace() throws {
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("swiftmem-strace-\(getpid())")
            defer { try? FileManager.default.removeItem(at: file) }
            let tool = try Tool.tracing(["shmsnoop"]).tool
            let run = try Tool.shell(
                "strace -f -X raw -e trace=shmget,shmat,shmdt,shmctl -o \(file.path) \(Workload.path("shmcalls"))")
            #expect(run.status == 0, "\(run.errors)")
            let truth = try #require(try run.rows(ShmCallsTruth.self).first)
            let theirs = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
                .compactMap { key(strace: String($0)) }
            let ours = try tool.stop().rows(ShmSnoopRow.self).filter { $0.pid == truth.pid }.map(key(besideStrace:))
            #expect(theirs.count == truth.callsMade)
            #expect(ours == theirs)
            TestRecord.note("\(ours.count)/\(theirs.count)")
        }

        @Test("a name with odd bytes stays one line, and JSON")
        func oddNames() throws {
            let tool = try Tool.tracing(["shmsnoop"]).tool
            let file = "\(Live.scratch)/\u{1b}[31m\n\"\\"
            try FileManager.default.copyItem(atPath: Workload.path("shmcalls"), toPath: file)
            defer { try? FileManager.default.removeItem(atPath: file) }
            let truth = try #require(try Running(file).finish().rows(ShmCallsTruth.self).first)
            let all = tool.stop()
            let calls = try all.rows(ShmSnoopRow.self).filter { $0.pid == truth.pid }
            #expect(calls.count == truth.callsMade)
            #expect(calls.allSatisfy { $0.comm == "\u{1b}[31m\n\"\\" })
            // no line but JSON
            #expect(try all.types().count == all.lines.count)
        }

        @Test(
            "32-bit calls, by ipc() and by their own numbers", .tags(.brief),
            arguments: try rungs(of: ["record", "tracepoint"]))
        func compat(rung: String) throws {
            let seen = try trace(["--compat"], options: ["--latency"], rung: rung)
            let expected = try #require(seen.truth.calls).map(key(true:))
            #expect(!expected.isEmpty)
            #expect(seen.calls.map(key(ours:)) == expected)
            #expect(seen.calls.allSatisfy { $0.compat && $0.durationNs ?? 0 > 0 })
        }

        @Test(
            "--all: POSIX shared memory, memfds, seals and shared mappings", .tags(.brief),
            arguments: try rungs(of: ["record", "tracepoint"]))
        func all(rung: String) throws {
            let seen = try trace(["--all"], options: ["--all"], rung: rung)
            // a mapping of no file and no anonymous memory is none of shared memory
            let expected = try #require(seen.truth.calls).filter { $0.call != "mmap" || $0.errnoName != "EBADF" }
            // its clean-up unlinks the name once more at the end
            let ours = Array(seen.calls.prefix(expected.count))
            #expect(ours.map(key(ours:)) == expected.map(key(true:)))
            #expect(seen.calls.dropFirst(expected.count).allSatisfy { $0.call == "shm_unlink" })
            let seals = ours.filter { $0.cmd == "F_ADD_SEALS" }.compactMap(\.flags)
            #expect(seals.first == ["F_SEAL_SHRINK", "F_SEAL_GROW"])
            #expect(ours.contains { $0.name == "memfd:swiftmem-memfd" && $0.call == "ftruncate" })
            let created = try #require(ours.first { $0.name == "swiftmem-creat-\(seen.truth.pid)" })
            #expect(created.flags == ["O_WRONLY", "O_CREAT", "O_TRUNC"])
            let renamed = ours.filter { $0.call == "rename" }
            #expect(renamed.map(\.name) == seen.truth.calls?.filter { $0.call == "rename" }.map(\.name))
            #expect(renamed.map(\.newName) == seen.truth.calls?.filter { $0.call == "rename" }.map(\.newName))
            #expect(renamed.map(\.flags) == [[], ["RENAME_NOREPLACE"], []])
            #expect(ours.contains { $0.name == "/dev/zero" && $0.call == "mmap" && $0.errno == nil })
            #expect(seen.losses.causes.isEmpty, "\(seen.losses)")
        }

        /// Rounds a thread: an emulated CPU is slow.
        static let rounds = Live.inMatrix ? "150" : "1500"

        @Test(
            "eight threads: none lost or paired wrongly, else counted", arguments: try rungs(), [[], ["--race"]])
        func stress(rung: String, race: [String]) throws {
            let arguments = ["--threads", "8", "--calls", Self.rounds] + race
            let seen = try trace(arguments, options: ["--latency"], rung: rung)
            let made = seen.truth.callsMade, lost = seen.losses.total
            // what was not seen is in the losses, to the call
            #expect(seen.calls.count + lost >= made && seen.calls.count <= made)
            TestRecord.note("\(lost) lost")
            // how many calls of a thread ended in a way is told where all were seen
            guard lost == 0 else { return }
            var counts: [String: Int] = [:]
            for call in seen.calls { counts["\(call.tid) \(call.call) \(call.errno ?? "-")", default: 0] += 1 }
            var expected: [String: Int] = [:]
            for thread in try #require(seen.truth.threads) {
                for end in thread.ends { expected["\(thread.tid) \(end.call) \(end.errnoName ?? "-")"] = end.count }
            }
            #expect(!expected.isEmpty)
            #expect(counts == expected)
            #expect(seen.calls.allSatisfy { $0.durationNs ?? 0 > 0 })
        }

        @Test("--list: a segment with nobody is an orphan, until somebody attaches it")
        func list() throws {
            let made = try Tool.shell("ipcmk -M 100000 | grep -oE '[0-9]+$'")
            guard let id = Int(made.output.trimmingCharacters(in: .whitespacesAndNewlines)) else {
                throw Live.lacking("no ipcmk here")
            }
            defer { _ = try? Tool.shell("ipcrm -m \(id)") }
            let orphans = try Tool.run(["shmsnoop", "--orphans", "--json"])
            let row = try #require(try orphans.rows(ShmSegmentRow.self).first { $0.shmid == id })
            #expect(row.sizeBytes == 100_000 && row.attachCount == 0)
            #expect(!row.creatorAlive && row.orphan)
            #expect(row.attached.isEmpty)
            let text = try Tool.run(["shmsnoop", "--list"])
            #expect(text.lines.first?.hasPrefix("KEY           SHMID    UID") == true)
            #expect(text.lines.contains { $0.contains(" \(id) ") })
        }

        @Test("-p and -n choose processes; a reader that goes away ends it")
        func filters() throws {
            let tool = try Tool.tracing(["shmsnoop", "-n", "no-such-name"]).tool
            let unseen: ShmCallsTruth = try Workload.truth("shmcalls", [])
            #expect(unseen.callsMade > 0)
            #expect(try tool.stop().rows(ShmSnoopRow.self).isEmpty)
            let named = try Tool.tracing(["shmsnoop", "-n", "workload-shm"]).tool
            let truth: ShmCallsTruth = try Workload.truth("shmcalls", [])
            let calls = try named.stop().rows(ShmSnoopRow.self).filter { $0.pid == truth.pid }
            #expect(calls.count == truth.callsMade)
            let closed = try Tool.shell(
                "set -o pipefail; timeout 20 $SWIFTMEM shmsnoop | head -n 1; echo ${PIPESTATUS[0]}")
            #expect(closed.lines == ["PID    COMM                SYS              RET ARGs", "0"])
            #expect(try Tool.run(["shmsnoop", "-p", "4194304"]).status == 64)
        }
    }
}
