// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    @Suite(.serialized, .enabled(if: Live.works("shmsnoop"))) struct ShmSnoops {
        /// A known sequence under the trace: its truth, and what was seen of its process.
        private func trace(
            _ workload: [String], options: [String] = [], rung: String
        ) throws -> (truth: [String: Any], calls: [[String: Any]], summary: [String: Any])? {
            let running = try Workload.start("shmcalls", ["--wait"] + workload)
            guard (try? running.object("ready")) != nil else { return nil }
            let (tool, rungs) = try Tool.tracing(
                ["shmsnoop"] + options, environment: ["SWIFTMEM_RUNG": "shmsnoop=\(rung)"])
            #expect(rungs.text("calls") == rung)
            running.send("\n")
            guard let truth = try? running.object("truth") else {
                _ = tool.stop()
                #expect(running.finish().status == 69)  // no 32-bit programs, no /dev/shm
                return nil
            }
            #expect(running.finish().status == 0)
            let all = tool.stop()
            #expect(all.status == 0)
            let summary = try #require(all.objects(ofType: "shmsnoop_summary").last)
            let pid = truth.int("pid")
            return (truth, all.objects(ofType: "shmsnoop").filter { $0.int("pid") == pid }, summary)
        }

        /// What both sides say of a call: its name, result, errno and arguments.
        private func key(true call: [String: Any]) -> String {
            let failed = call.int("errno") != 0
            let result = failed ? -1 : call.int("attached_at") ?? call.int("ret") ?? 0
            let error = failed ? call.text("errno_name") ?? "?" : "-"
            let arguments: [Int?] =
                switch call.text("call") {
                case "shmget": [call.int("key"), call.int("size_bytes")]
                case "shmat": [call.int("shmid"), call.int("shmaddr").map { $0 & 0xffff_ffff }]
                case "shmdt": [call.int("shmaddr").map { $0 & 0xffff_ffff }]
                case "shmctl": [call.int("shmid"), call.int("buf").map { $0 & 0xffff_ffff }]
                case "ftruncate": [call.int("fd"), call.int("size_bytes")]
                case "mmap", "munmap": [call.int("addr"), call.int("size_bytes")]
                default: []
                }
            return "\(call.text("call") ?? "?") \(result) \(error) \(arguments.map { $0 ?? -1 })"
        }

        private func result(ours call: [String: Any]) -> Int? { call.int("ret") ?? call.hex("ret_address") }

        private func key(ours call: [String: Any]) -> String {
            let address = call.hex("address")
            let arguments: [Int?] =
                switch call.text("call") {
                case "shmget": [call.int("key"), call.int("size_bytes")]
                case "shmat", "shmctl": [call.int("shmid"), address.map { $0 & 0xffff_ffff }]
                case "shmdt": [address.map { $0 & 0xffff_ffff }]
                case "ftruncate": [call.int("fd"), call.int("size_bytes")]
                case "mmap", "munmap": [address, call.int("size_bytes")]
                default: []
                }
            return
                "\(call.text("call") ?? "?") \(result(ours: call) ?? 0) \(call.text("errno") ?? "-") \(arguments.map { $0 ?? -1 })"
        }

        private func rungs() throws -> [String] {
            try availableRungs("shmsnoop", "calls", of: ["record", "tracepoint", "syscalls"])
        }

        private func losses(_ summary: [String: Any]) -> Int {
            summary.object("losses").values.compactMap { ($0 as? NSNumber)?.intValue }.reduce(0, +)
        }

        @Test("every call with its arguments, result and errno, in order, on every rung")
        func sysv() throws {
            for rung in try rungs() {
                let (truth, calls, summary) = try #require(try trace([], rung: rung))
                let expected = truth.rows("calls").map(key(true:))
                #expect(calls.map(key(ours:)) == expected)
                #expect(losses(summary) == 0)
                Live.record(
                    "shmsnoop", "calls/\(rung)", "sysv", calls.map(key(ours:)) == expected,
                    "calls \(calls.count)/\(expected.count)")
            }
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

        private func key(besideStrace call: [String: Any]) -> String {
            let arguments: [Int?] =
                switch call.text("call") {
                // strace has keys without a sign
                case "shmget": [call.int("key").map { $0 & 0xffff_ffff }, call.int("size_bytes")]
                case "shmat": [call.int("shmid"), call.hex("address")]
                case "shmdt": [call.hex("address")]
                default: [call.int("shmid")]
                }
            return
                "\(call.text("call") ?? "?") \(arguments.map { $0 ?? -2 }[...]) \(result(ours: call) ?? -2) \(call.text("errno") ?? "-")"
        }

        @Test("line by line what strace has", .enabled(if: access("/usr/bin/strace", X_OK) == 0))
        func strace() throws {
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("swiftmem-strace-\(getpid())")
            defer { try? FileManager.default.removeItem(at: file) }
            let (tool, rungs) = try Tool.tracing(["shmsnoop"])
            let workload = Tool.directory.appendingPathComponent("workload-shmcalls").path
            let run = try Tool.shell(
                "strace -f -X raw -e trace=shmget,shmat,shmdt,shmctl -o \(file.path) \(workload)")
            #expect(run.status == 0, "\(run.errors)")
            let truth = try #require(run.objects(ofType: "truth").first)
            let theirs = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
                .compactMap { key(strace: String($0)) }
            let ours = tool.stop().objects(ofType: "shmsnoop").filter { $0.int("pid") == truth.int("pid") }
                .map(key(besideStrace:))
            #expect(theirs.count == truth.int("calls_made"))
            #expect(ours == theirs)
            Live.record("shmsnoop", Live.names(rungs), "beside strace", ours == theirs, "\(ours.count)/\(theirs.count)")
        }

        @Test("a name with odd bytes stays one line, and JSON")
        func oddNames() throws {
            let (tool, _) = try Tool.tracing(["shmsnoop"])
            let file = "\(Live.scratch)/\u{1b}[31m\n\"\\"
            try FileManager.default.copyItem(
                at: Tool.directory.appendingPathComponent("workload-shmcalls"), to: URL(fileURLWithPath: file))
            defer { try? FileManager.default.removeItem(atPath: file) }
            let truth = try #require(
                try Running(URL(fileURLWithPath: file), []).finish().objects(ofType: "truth").first)
            let all = tool.stop()
            let calls = all.objects(ofType: "shmsnoop").filter { $0.int("pid") == truth.int("pid") }
            #expect(calls.count == truth.int("calls_made"))
            #expect(calls.allSatisfy { $0.text("comm") == "\u{1b}[31m\n\"\\" })
            #expect(all.objects.count == all.lines.count)
        }

        @Test("32-bit calls, by ipc() and by their own numbers")
        func compat() throws {
            for rung in try rungs() where rung != "syscalls" {
                guard let (truth, calls, _) = try trace(["--compat"], options: ["--latency"], rung: rung) else {
                    return
                }
                let expected = truth.rows("calls").map(key(true:))
                #expect(calls.map(key(ours:)) == expected)
                #expect(calls.allSatisfy { $0["compat"] as? Bool == true && $0.int("duration_ns") ?? 0 > 0 })
                Live.record(
                    "shmsnoop", "calls/\(rung)", "compat", calls.map(key(ours:)) == expected,
                    "calls \(calls.count)/\(expected.count)")
            }
        }

        @Test("--all: POSIX shared memory, memfds, seals and shared mappings")
        func all() throws {
            for rung in try rungs() where rung != "syscalls" {
                guard let (truth, calls, summary) = try trace(["--all"], options: ["--all"], rung: rung) else { return }
                // a mapping of no file and no anonymous memory is none of shared memory
                let expected = truth.rows("calls").filter {
                    $0.text("call") != "mmap" || $0.text("errno_name") != "EBADF"
                }
                // its clean-up unlinks the name once more at the end
                let ours = Array(calls.prefix(expected.count))
                #expect(ours.map(key(ours:)) == expected.map(key(true:)))
                #expect(calls.dropFirst(expected.count).allSatisfy { $0.text("call") == "shm_unlink" })
                let seals = ours.filter { $0.text("cmd") == "F_ADD_SEALS" }.compactMap { $0["flags"] as? [String] }
                #expect(seals.first == ["F_SEAL_SHRINK", "F_SEAL_GROW"])
                #expect(ours.contains { $0.text("name") == "memfd:swiftmem-memfd" && $0.text("call") == "ftruncate" })
                #expect(losses(summary) == 0)
                Live.record(
                    "shmsnoop", "calls/\(rung)", "all", ours.map(key(ours:)) == expected.map(key(true:)),
                    "calls \(ours.count)/\(expected.count)")
            }
        }

        /// Rounds a thread: an emulated CPU is slow.
        static let rounds = ProcessInfo.processInfo.environment["SWIFTMEM_RESULTS"] == nil ? "1500" : "150"

        @Test("eight threads: none lost or paired wrongly, else counted", arguments: [[], ["--race"]])
        func stress(race: [String]) throws {
            let arguments = ["--threads", "8", "--calls", Self.rounds] + race
            for rung in try rungs() {
                let (truth, calls, summary) = try #require(try trace(arguments, options: ["--latency"], rung: rung))
                let made = try #require(truth.int("calls_made"))
                // what was not seen is in the losses, to the call
                #expect(calls.count + losses(summary) >= made && calls.count <= made)
                guard losses(summary) == 0 else { continue }
                var counts: [String: Int] = [:]
                for call in calls {
                    counts[
                        "\(call.int("tid") ?? 0) \(call.text("call") ?? "?") \(call.text("errno") ?? "-")", default: 0] +=
                        1
                }
                var expected: [String: Int] = [:]
                for thread in truth.rows("threads") {
                    for end in thread.rows("ends") {
                        expected[
                            "\(thread.int("tid") ?? 0) \(end.text("call") ?? "?") \(end.text("errno_name") ?? "-")"] =
                            end.int("count")
                    }
                }
                #expect(counts == expected)
                #expect(calls.allSatisfy { $0.int("duration_ns") ?? 0 > 0 })
                Live.record(
                    "shmsnoop", "calls/\(rung)", arguments.joined(separator: " "), counts == expected,
                    "calls \(calls.count)/\(made)")
            }
        }

        @Test("--list: a segment with nobody is an orphan, until somebody attaches it")
        func list() throws {
            let made = try Tool.shell("ipcmk -M 100000 | grep -oE '[0-9]+$'")
            guard let id = Int(made.output.trimmingCharacters(in: .whitespacesAndNewlines)) else {
                #expect(!Live.required, "no ipcmk here")
                return
            }
            defer { _ = try? Tool.shell("ipcrm -m \(id)") }
            let orphans = try Tool.run(["shmsnoop", "--orphans", "--json"])
            let row = try #require(orphans.objects(ofType: "shm_segment").first { $0.int("shmid") == id })
            #expect(row.int("size_bytes") == 100_000 && row.int("attach_count") == 0)
            #expect(row["creator_alive"] as? Bool == false && row["orphan"] as? Bool == true)
            #expect(row.rows("attached").isEmpty)
            let text = try Tool.run(["shmsnoop", "--list"])
            #expect(text.lines.first?.hasPrefix("KEY           SHMID    UID") == true)
            #expect(text.lines.contains { $0.contains(" \(id) ") })
        }

        @Test("-p and -n choose processes; a reader that goes away ends it")
        func filters() throws {
            let tool = try Tool.tracing(["shmsnoop", "-n", "no-such-name"]).0
            _ = try Workload.truth("shmcalls", [])
            #expect(tool.stop().objects(ofType: "shmsnoop").isEmpty)
            let named = try Tool.tracing(["shmsnoop", "-n", "workload-shm"]).0
            let truth = try Workload.truth("shmcalls", [])
            #expect(
                named.stop().objects(ofType: "shmsnoop").filter { $0.int("pid") == truth.int("pid") }.count
                    == truth.int("calls_made"))
            let closed = try Tool.shell(
                "set -o pipefail; timeout 20 $SWIFTMEM shmsnoop | head -n 1; echo ${PIPESTATUS[0]}")
            #expect(closed.lines == ["PID    COMM                SYS              RET ARGs", "0"])
            #expect(try Tool.run(["shmsnoop", "-p", "4194304"]).status == 64)
        }
    }
}
