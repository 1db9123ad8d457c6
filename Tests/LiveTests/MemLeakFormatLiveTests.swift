// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension LiveTests {
    /// What a run leaves for other tools, beside its own report and what workload-leaker holds.
    @Suite(.serialized, .exercises("memleak")) struct MemLeakFiles {
        private func text(_ name: String, in directory: ScratchDirectory) throws -> String {
            String(decoding: try Data(contentsOf: directory.file(name)), as: UTF8.self)
        }

        private func object(_ name: String, in directory: ScratchDirectory) throws -> [String: Any] {
            let object = try JSONSerialization.jsonObject(with: Data(contentsOf: directory.file(name)))
            return try #require(object as? [String: Any])
        }

        @Test("every format of one run: totals are the report's, stacks are the workload's")
        func totals() throws {
            let directory = try ScratchDirectory()
            let names = ["folded", "flamegraph", "pprof", "speedscope", "dhat"]
            let files = names.flatMap { ["--\($0)", directory.file($0).path] }
            let report = try MemLeakTool.trace(
                nil, [MemLeaks.leaker, "--kind", "malloc,calloc,strdup", "--count", "30", "--size", "100"],
                options: ["-o", "0"] + files)
            #expect(report.status == 0, "\(report.errors)")
            let bytes = report.summary.outstandingBytes, count = report.summary.outstandingCount
            #expect(bytes >= 9000 && count >= 90)

            let folded = try text("folded", in: directory).split(separator: "\n").map { line in
                let end = try #require(line.lastIndex(of: " "))
                return (path: line[..<end].split(separator: ";"), bytes: try #require(Int(line[end...].dropFirst())))
            }
            #expect(folded.reduce(0) { $0 + $1.bytes } == bytes)
            for kind in try #require(report.truth).kinds {
                let mine = folded.filter { $0.path.contains { $0 == kind.function } }
                #expect(mine.reduce(0) { $0 + $1.bytes } == kind.outstandingBytes, "\(kind.function)")
            }

            try speedscope(object("speedscope", in: directory), bytes, count)
            try dhat(object("dhat", in: directory), bytes, count)
            try pprof(directory.file("pprof"), report)
            let svg = try text("flamegraph", in: directory)
            #expect(svg.contains(">outstanding memory of") && svg.contains("\(bytes) bytes in \(count) allocations"))
            #expect(svg.contains(#"data-n="leak_calloc" data-t="3000 bytes in 30 allocations"#))
        }

        /// The rules of https://www.speedscope.app/file-format-schema.json and of its importer.
        private func speedscope(_ file: [String: Any], _ bytes: Int, _ count: Int) throws {
            #expect(file["$schema"] as? String == "https://www.speedscope.app/file-format-schema.json")
            let frames = try #require((file["shared"] as? [String: Any])?["frames"] as? [[String: Any]])
            #expect(frames.allSatisfy { $0["name"] is String })
            let profiles = try #require(file["profiles"] as? [[String: Any]])
            #expect(profiles.count == 2)
            for (profile, total) in zip(profiles, [bytes, count]) {
                #expect(profile["type"] as? String == "sampled" && profile["startValue"] as? Int == 0)
                let samples = try #require(profile["samples"] as? [[Int]])
                let weights = try #require(profile["weights"] as? [Int])
                #expect(samples.count == weights.count && weights.allSatisfy { $0 >= 0 })
                #expect(weights.reduce(0, +) == total && profile["endValue"] as? Int == total)
                #expect(samples.joined().allSatisfy { frames.indices.contains($0) })
            }
        }

        /// What dh_view.js asks of a file, as its errors say: the version, the fields without blocks' lifetimes, every
        /// program point with one frame or more, all of them in the table, whose first is the root.
        private func dhat(_ file: [String: Any], _ bytes: Int, _ count: Int) throws {
            #expect(file["dhatFileVersion"] as? Int == 2)
            for key in ["mode", "verb", "cmd", "tu", "Mtu"] { #expect(file[key] is String, "\(key)") }
            for key in ["bklt", "bkacc"] { #expect(file[key] as? Bool == false, "\(key)") }
            for key in ["pid", "te"] { #expect(file[key] is Int, "\(key)") }
            let table = try #require(file["ftbl"] as? [String])
            #expect(table.first == "[root]")
            let points = try #require(file["pps"] as? [[String: Any]])
            var sums = (0, 0)
            for point in points {
                sums.0 += try #require(point["tb"] as? Int)
                sums.1 += try #require(point["tbk"] as? Int)
                let frames = try #require(point["fs"] as? [Int])
                #expect(!frames.isEmpty && frames.allSatisfy { table.indices.contains($0) && $0 > 0 })
            }
            #expect(sums == (bytes, count))
        }

        private func pprof(_ file: URL, _ report: MemLeakResult) throws {
            let unpacked = try Tool.shell("gzip -dc < '\(file.path)' | od -An -v -tx1")
            #expect(unpacked.status == 0, "\(unpacked.errors)")
            let raw = unpacked.output.split(whereSeparator: \.isWhitespace).compactMap { UInt8($0, radix: 16) }
            let fields = try ProtoWire.fields(raw)
            let samples = try fields.filter { $0.number == 2 }.map { try ProtoWire.fields($0.bytes) }
            let values = try samples.map { try ProtoWire.packed(#require($0.first { $0.number == 2 }).bytes) }
            #expect(values.reduce(0) { $0 + Int($1[0]) } == report.summary.outstandingCount)
            #expect(values.reduce(0) { $0 + Int($1[1]) } == report.summary.outstandingBytes)
            // mapping 1 is the program's own, with its build-id
            let strings = fields.filter { $0.number == 6 }.map { String(decoding: $0.bytes, as: UTF8.self) }
            let mapping = try ProtoWire.fields(#require(fields.first { $0.number == 3 }).bytes)
            let name = strings[Int(try #require(mapping.first { $0.number == 5 }).value)]
            #expect(name.hasSuffix("/workload-leaker"), "\(name)")
            let build = try #require(mapping.first { $0.number == 6 }).value
            let frame = report.stacks.lazy.compactMap { $0.frames?.first { $0.module == name } }.first
            #expect(strings[Int(build)] == frame?.buildId)
            #expect(Set(["leak_here", "leak_calloc", "leak_strdup"]).isSubset(of: strings))
        }

        @Test("--fail-on-leak: status 1 for the leaky program, 0 for the mended one, and where the leak is suppressed")
        func failOnLeak() throws {
            let directory = try ScratchDirectory()
            let known = directory.file("known")
            try Data("# known\nleak:shape_fas*\n".utf8).write(to: known)
            let recording = directory.file("recording").path
            func run(_ arguments: [String]) throws -> (status: Int32, stacks: [MemLeakRow], sums: MemLeakSummaryRow) {
                let finished = try Tool.run(["memleak", "--json", "-T", "1000"] + arguments)
                let sums = try #require(try finished.rows(MemLeakSummaryRow.self).last, "\(finished.errors)")
                let stacks = try finished.rows(MemLeakRow.self).filter { $0.time == sums.time }
                return (finished.status, stacks, sums)
            }
            func trace(_ shapes: String) -> [String] {
                ["--leak-after", "6", "1000", "--", Workload.path("leakshapes"), "--shape", shapes, "--seconds", "10"]
            }
            let leaky = try run(["--fail-on-leak", "--record", recording] + trace("fast,churn"))
            #expect(leaky.status == 1 && leaky.sums.leakingStacks == 1)
            #expect(leaky.stacks.first { $0.verdict == "leaking" }?.isOn { $0 == "shape_fast" } == true)
            let mended = try run(["--fail-on-leak"] + trace("oneoff,churn"))
            #expect(mended.status == 0 && mended.sums.leakingStacks == 0)
            // 20 000 bytes a second are fewer than a megabyte
            let slow = try run(["--replay", recording, "--fail-on-leak=1M"])
            #expect(slow.status == 0 && slow.sums.leakingStacks == 1)
            let annotated = try Tool.run(["memleak", "--replay", recording, "--fail-on-leak", "--github"])
            #expect(annotated.status == 1)
            #expect(annotated.errorLines.count { $0.hasPrefix("::") } == 1)
            #expect(annotated.errors.contains("::error title=memory leak in shape_fast::+"))
            let suppressed = try run(["--replay", recording, "--fail-on-leak", "--suppressions", known.path])
            #expect(suppressed.status == 0 && suppressed.sums.leakingStacks == 0)
            #expect(suppressed.sums.suppressedStacks == 1 && suppressed.sums.suppressedBytes > 100_000)
            #expect(!suppressed.stacks.contains { $0.isOn { $0 == "shape_fast" } })
        }
    }
}

/// A directory of its own, removed at the end of its life.
final class ScratchDirectory {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("swiftmem-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    func file(_ name: String) -> URL { url.appendingPathComponent(name) }

    deinit { try? FileManager.default.removeItem(at: url) }
}
