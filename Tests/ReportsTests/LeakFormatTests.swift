// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import Reports

/// Each format, read as its readers read it: its values sum to the report's.
@Suite struct LeakFormats {
    private static func sum(_ bytes: UInt64, _ count: UInt64) -> OutstandingSum {
        var sum = OutstandingSum()
        (sum.bytes, sum.count) = (bytes, count)
        return sum
    }

    private static func frame(_ name: String?, _ module: String?, _ offset: UInt64?, inlined: Bool = false)
        -> MemLeakFrame
    {
        MemLeakFrame(
            address: 0x7000 + (offset ?? 0), symbol: name, offset: 4, module: module, moduleOffset: offset,
            buildID: "ab01",
            file: name == nil ? nil : "main.c", line: 3, isInlined: inlined)
    }

    static let profile: LeakProfile = {
        let main = frame("main", "/opt/app", 0x100), start = frame("_start", "/opt/app", 0x10)
        let leak = StackTrend(
            verdict: .leaking, confidence: 0.9, growth: Rate(value: 100, error: 10),
            growthCount: Rate(value: 1, error: 0.1))
        let stacks = [
            MemLeakStack(
                pid: 7, comm: "app", sum: sum(1000, 10), trend: leak,
                frames: [frame("a;b<&\"\u{1b}", "/opt/app", 0x200), main, start]),
            MemLeakStack(
                pid: 7, comm: "app", sum: sum(1 << 40, 3),
                frames: [
                    frame("inlined", "/opt/app", 0x300, inlined: true), frame("outer", "/opt/app", 0x300), main, start,
                ]),
            MemLeakStack(
                pid: 8, comm: nil, sum: sum(24, 2), frames: [frame(nil, "/lib/libx.so.1", 0x55)], end: .noRule),
            MemLeakStack(pid: 8, sum: sum(1, 1), frames: nil),
        ]
        return LeakProfile(
            stacks: stacks, time: WallTime(nanoseconds: 1_767_323_045_000_000_006), watched: 60_000_000_000,
            target: "pid 7 <&>", showsProcesses: true)
    }()

    private func text(_ format: LeakFormat, _ profile: LeakProfile = Self.profile) -> String {
        String(decoding: format.renderer.render(profile), as: UTF8.self)
    }

    private func object(_ format: LeakFormat) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(format.renderer.render(Self.profile)))
        return try #require(object as? [String: Any])
    }

    @Test("folded stacks: outermost first, no semicolon and no control character in a name, the bytes last")
    func folded() throws {
        #expect(
            text(.folded) == """
                app 7;_start;main;a:b<&"\\x1b 1000
                app 7;_start;main;outer;inlined 1099511627776
                process 8;[cut];libx.so.1+0x55 24
                process 8;[stack lost] 1

                """)
        let sum = try text(.folded).split(separator: "\n").reduce(UInt64(0)) { sum, line in
            try sum + #require(line.split(separator: " ").last.flatMap { UInt64($0) })
        }
        #expect(sum == Self.profile.bytes)
    }

    @Test("speedscope: two profiles over one list of frames; weights sum to the end value")
    func speedscope() throws {
        let file = try object(.speedscope)
        #expect(file["$schema"] as? String == "https://www.speedscope.app/file-format-schema.json")
        let frames = try #require((file["shared"] as? [String: Any])?["frames"] as? [[String: Any]])
        let profiles = try #require(file["profiles"] as? [[String: Any]])
        #expect(profiles.compactMap { $0["unit"] as? String } == ["bytes", "none"])
        for (profile, total) in zip(profiles, [Self.profile.bytes, Self.profile.count]) {
            let samples = try #require(profile["samples"] as? [[Int]])
            let weights = try #require(profile["weights"] as? [UInt64])
            #expect(samples.count == weights.count && weights.reduce(0, +) == total)
            #expect(profile["endValue"] as? UInt64 == total)
            #expect(samples.joined().allSatisfy { frames.indices.contains($0) })
            #expect(
                samples[1].map { frames[$0]["name"] as? String } == ["app 7", "_start", "main", "outer", "inlined"])
        }
    }

    @Test("DHAT: innermost first, frame 0 the root")
    func dhat() throws {
        let file = try object(.dhat)
        #expect(file["dhatFileVersion"] as? Int == 2 && file["bklt"] as? Bool == false)
        let table = try #require(file["ftbl"] as? [String]), points = try #require(file["pps"] as? [[String: Any]])
        #expect(table.first == "[root]")
        #expect(points.compactMap { $0["tb"] as? UInt64 }.reduce(0, +) == Self.profile.bytes)
        #expect(points.compactMap { $0["tbk"] as? UInt64 }.reduce(0, +) == Self.profile.count)
        let first = try #require(points[1]["fs"] as? [Int])
        #expect(first.map { table[$0] } == ["inlined", "outer", "main", "_start", "app 7"])
    }

    @Test("pprof: strings, samples and totals; the first mapping is the program's; an inlined function is a line")
    func pprof() throws {
        let fields = try ProtoWire.fields(LeakFormat.pprof.renderer.render(Self.profile))
        let strings = fields.filter { $0.number == 6 }.map { String(decoding: $0.bytes, as: UTF8.self) }
        #expect(strings.first == "")
        let types = try fields.filter { $0.number == 1 }.map { type in
            try ProtoWire.fields(type.bytes).map { strings[Int($0.value)] }
        }
        #expect(types == [["inuse_objects", "count"], ["inuse_space", "bytes"]])
        let samples = try fields.filter { $0.number == 2 }.map { try ProtoWire.fields($0.bytes) }
        let values = try samples.map { try ProtoWire.packed(#require($0.first { $0.number == 2 }).bytes) }
        #expect(values.reduce(0) { $0 + $1[0] } == Self.profile.count)
        #expect(values.reduce(0) { $0 + $1[1] } == Self.profile.bytes)
        let mapping = try ProtoWire.fields(#require(fields.first { $0.number == 3 }).bytes)
        #expect(try strings[Int(#require(mapping.first { $0.number == 5 }).value)] == "/opt/app")
        #expect(try strings[Int(#require(mapping.first { $0.number == 6 }).value)] == "ab01")
        let locations = try fields.filter { $0.number == 4 }.map { try ProtoWire.fields($0.bytes) }
        #expect(locations.map { $0.count { $0.number == 4 } } == [1, 1, 1, 2, 1, 1])
        #expect(try strings[Int(#require(fields.first { $0.number == 14 }).value)] == "inuse_space")
    }

    @Test("a flame graph: well-formed, whatever a function is called; the leak is marked; narrow frames are left out")
    func flameGraph() {
        let svg = text(.flamegraph)
        #expect(svg.contains("data-n=\"a;b&lt;&amp;&quot;\\x1b\"") && svg.contains("memleak of pid 7 &lt;&amp;&gt;"))
        // the leak's own frame; a thousand bytes of a tebibyte make none of those below it a leak
        #expect(svg.components(separatedBy: "class=\"f leak\"").count == 2)
        #expect(svg.components(separatedBy: "class=\"f holds\"").count == 5)
        #expect(svg.contains("1099511628801 bytes in 16 allocations"))
        #expect(!svg.contains("http://") || svg.components(separatedBy: "http://").count == 2)
        // 1 and 24 bytes of a tebibyte are a part of the allocations
        #expect(svg.contains("[stack lost]"))
        #expect(svg.components(separatedBy: "<g ").count == svg.components(separatedBy: "</g>").count)
    }

    @Test("nothing outstanding: files without a stack", arguments: LeakFormat.allCases)
    func empty(format: LeakFormat) {
        let empty = LeakProfile(stacks: [], time: WallTime(nanoseconds: 0), watched: 0, target: "pid 1")
        #expect(empty.bytes == 0 && empty.count == 0)
        #expect(text(format, empty).isEmpty == (format == .folded))
    }
}
