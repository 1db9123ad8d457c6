// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// Recordings of real runs, shown again beside what the run itself has shown.
    @Suite(.serialized, .exercises("memleak")) struct MemLeakRecording {
        private static let nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups"

        /// What a replay as nobody prints, of a copy that nobody may read.
        private func replay(_ recording: URL, _ options: String = "") throws -> Finished {
            try Tool.shell(
                """
                chmod 644 '\(recording.path)' && chmod 755 '\(recording.deletingLastPathComponent().path)' &&
                copy=$(mktemp) && cp "$SWIFTMEM" "$copy" && chmod 755 "$copy" || exit 99
                \(Self.nobody) "$copy" memleak --replay '\(recording.path)' \(options); status=$?
                rm "$copy"; exit $status
                """)
        }

        @Test("a replay, by nobody, is the run byte for byte, in text and JSON, and every format's file")
        func equalsLive() throws {
            let directory = try ScratchDirectory()
            let recording = directory.file("recording"),
                formats = ["folded", "flamegraph", "pprof", "speedscope", "dhat"]
            for json in ["", "--json"] {
                let live = directory.file("live")
                // its own lines go elsewhere: the report is alone on standard output
                let files = formats.map { "--\($0) '\(directory.file($0).path)'" }.joined(separator: " ")
                let run = try Tool.shell(
                    """
                    exec "$SWIFTMEM" memleak \(json) --record '\(recording.path)' --output '\(live.path)' \
                    --leak-after 6 -o 0 -T 4 \(files) 2 -- '\(Workload.path("leakshapes"))' --seconds 10
                    """)
                #expect(run.status == 0, "\(run.errors)")
                let shown = String(decoding: try Data(contentsOf: live), as: UTF8.self)
                #expect(shown.split(separator: "\n").count > 6)
                let again = try replay(recording, "\(json) -T 4")
                #expect(again.status == 0, "\(again.errors)")
                #expect(again.output == shown)
                if json.isEmpty { #expect(again.errors == run.errors) }
                for format in json.isEmpty ? formats : [] {
                    let copy = directory.file("copy")
                    let file = try Tool.run(["memleak", "--replay", recording.path, "--\(format)", copy.path])
                    #expect(file.status == 0)
                    #expect(try Data(contentsOf: copy) == Data(contentsOf: directory.file(format)), "\(format)")
                }
            }
            // other views of the same
            let bySize = try replay(recording, "--json --sort size -T 1000").rows(MemLeakRow.self)
            let last = try #require(bySize.last).time
            let sizes = bySize.filter { $0.time == last }.map(\.bytes)
            #expect(sizes.count > 4 && sizes == sizes.sorted(by: >))
            let merged = bySize.filter { $0.stacks > 1 }.count
            let byAddress = try replay(recording, "--json --by address -T 1000").rows(MemLeakRow.self)
            #expect(byAddress.count >= bySize.count + merged && byAddress.allSatisfy { $0.stacks == 1 })
            #expect(try replay(recording, "--fail-on-leak").status == 1)
            #expect(try replay(recording, "-p 1").status == 64)
        }

        @Test("killed: whole up to the last report; full: said, and the run goes on")
        func killedAndFull() throws {
            let directory = try ScratchDirectory()
            let recording = directory.file("recording")
            let steps = try Workload.start("leaker", ["--count", "40", "--size", "100", "--wait", "--hold"])
            let pid = try #require(steps.row(ReadyRow.self).pid)
            defer { steps.closeInput() }
            let tool = try Tool.tracing(["memleak", "-p", "\(pid)", "-o", "0", "--record", recording.path, "1"]).tool
            steps.send("\n")
            _ = try steps.row(LeakerTruth.self)
            for _ in 0..<3 { try tool.row(MemLeakSummaryRow.self) }
            let live = try tool.stop(SIGKILL).rows(MemLeakSummaryRow.self)
            let killed = try replay(recording, "--json")
            #expect(killed.status == 0 && killed.errors.contains("has no end: its run was killed"))
            // what was recorded and not printed any more is shown too
            let rows = try killed.rows(MemLeakSummaryRow.self)
            #expect(rows.count >= live.count && rows.prefix(live.count).map(\.time) == live.map(\.time))
            #expect(rows.last?.outstandingCount == live.last?.outstandingCount)
            #expect(try replay(recording, "--strict").status == 70)

            let small = directory.file("small")
            let full = try Tool.run([
                "memleak", "-p", "\(pid)", "--json", "-o", "0", "--record", small.path, "--record-size", "4096", "0.05",
                "200",
            ])
            #expect(full.status == 0 && full.errors.contains("is full: the recording ends here"))
            let size = try small.resourceValues(forKeys: [.fileSizeKey]).fileSize
            #expect(try #require(size) <= 4096 && size ?? 0 > 3500)
            let again = try replay(small, "--json")
            #expect(again.status == 0 && again.errors.contains("was full: the run went on"))
            let shown = try again.rows(MemLeakSummaryRow.self).count
            #expect(shown > 0 && shown < 200 && again.lines == Array(full.lines.prefix(again.lines.count)))
        }

        @Test("two runs of one program, wherever it is loaded, differ in nothing; a third in what it does otherwise")
        func diff() throws {
            let directory = try ScratchDirectory()
            func record(_ name: String, _ kinds: String, _ size: Int) throws -> String {
                let path = directory.file(name).path
                let options = ["memleak", "--json", "--record", path, "-o", "0", "1000", "--", MemLeaks.leaker]
                #expect(try Tool.run(options + ["--kind", kinds, "--count", "30", "--size", "\(size)"]).status == 0)
                return path
            }
            let first = try record("first", "malloc,strdup", 100), second = try record("second", "malloc,strdup", 100)
            let third = try record("third", "malloc,calloc", 200)
            let nothing = try Tool.run(["memleak", "--json", "--diff", first, second])
            let sums = try #require(try nothing.rows(MemLeakDiffSummaryRow.self).last, "\(nothing.errors)")
            #expect(try nothing.rows(MemLeakDiffRow.self).isEmpty && sums.bytesBefore == sums.bytesAfter)
            #expect(sums.sameStacks > 1)
            let changes = try Tool.run(["memleak", "--json", "--diff", first, third]).rows(MemLeakDiffRow.self)
            func change(_ function: String) -> MemLeakDiffRow? {
                changes.first { $0.frames?.contains { $0.symbol == function } == true }
            }
            #expect(change("leak_here")?.change == "grew" && change("leak_here")?.bytesChange == 3000)
            #expect(change("leak_strdup")?.change == "gone" && change("leak_strdup")?.bytesChange == -3000)
            #expect(change("leak_calloc")?.change == "new" && change("leak_calloc")?.bytesChange == 6000)
            #expect(changes.count == 3)
        }

        @Test("a baseline by a signal and by time: what was there is left out and counted, what comes later is shown")
        func baseline() throws {
            let directory = try ScratchDirectory()
            let recording = directory.file("recording")
            let steps = try Steps()
            let tool = try MemLeakTool.follow(steps.pid, ["--record", recording.path])
            try steps.step("leak")
            tool.signal(SIGUSR1)
            let before = try tool.row(MemLeakSummaryRow.self)
            #expect(before.outstandingCount == 500 && before.baselineCount == nil)
            tool.signal(SIGUSR2)
            var after = before
            // of two signals that wait the lower comes first
            for _ in 0..<20 where after.baselineCount == nil {
                tool.signal(SIGUSR1)
                after = try tool.row(MemLeakSummaryRow.self)
            }
            #expect(after.outstandingCount == 0 && after.baselineCount == 500 && after.baselineBytes == 50000)
            try steps.step("leak")
            let finished = tool.stop(SIGINT)
            let last = try MemLeakResult(finished)
            #expect(finished.errors.contains("baseline: 50000 bytes in 500 allocations are left out from now on"))
            #expect(last.summary.outstandingCount == 500 && last.summary.baselineCount == 500)
            #expect(try replay(recording, "--json -T 1000").output == finished.output)

            let timed = try Tool.tracing([
                "memleak", "-p", "\(steps.pid)", "-o", "0", "--baseline", "2", "-T", "5", "1",
            ]).tool
            try steps.step("leak")
            var sums = try timed.row(MemLeakSummaryRow.self)
            while sums.baselineCount == nil { sums = try timed.row(MemLeakSummaryRow.self) }
            _ = timed.stop(SIGINT)
            steps.end()
            #expect(sums.outstandingCount == 0 && sums.baselineCount == 500)
        }

        @Test("the kernel's memory: a replay is the run")
        func kernel() throws {
            let directory = try ScratchDirectory()
            let recording = directory.file("recording")
            let live = try Tool.run(["memleak", "--json", "--record", recording.path, "-T", "5", "1", "2"])
            let again = try replay(recording, "--json -T 5")
            #expect(live.status == 0 && again.status == 0 && again.output == live.output)
            #expect(try again.rows(MemLeakSummaryRow.self).count == 2)
        }

        @Test("what is no recording, and what is damaged, is said, with the place")
        func damaged() throws {
            let directory = try ScratchDirectory()
            let file = directory.file("file")
            try Data("something else\n".utf8).write(to: file)
            let other = try replay(file)
            #expect(other.status == 64 && other.errors.contains("was not written by swiftmem memleak --record"))
            _ = try Tool.run(["memleak", "--record", file.path, "--", "/bin/true"])
            var bytes = try Data(contentsOf: file)
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: file)
            let broken = try replay(file)
            #expect(broken.status == 64 && broken.errors.contains("is damaged at byte "))
            #expect(try Tool.run(["memleak", "--replay", directory.file("none").path]).status == 64)
        }
    }
}
