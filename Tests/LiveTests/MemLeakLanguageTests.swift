// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// Programs of several languages and builds: counts to the byte, the leaking function by its readable name.
    @Suite(.serialized) struct MemLeakLanguages {
        @Test("C with and without frame pointers, static, stripped", arguments: Fixture.builds)
        func builds(fixture: Fixture) throws {
            guard let program = try fixture.path() else { return }
            for rung in try MemLeakTool.someRungs() {
                let report = try MemLeakTool.trace(rung, [program])
                #expect(report.sum("leak_me") == [50_000, 500], "\(rung) \(fixture.testDescription)")
                report.expectWhole()
                Live.record(
                    "memleak", "allocators/\(rung)", fixture.testDescription, report.sum("leak_me") == [50_000, 500], ""
                )
            }
        }

        @Test(
            "C++: operator new by its caller, make_shared in a cycle, exceptions stay catchable", arguments: Fixture.cxx
        )
        func cxx(fixture: Fixture) throws {
            guard let program = try fixture.path() else { return }
            for rung in try MemLeakTool.someRungs() {
                let report = try MemLeakTool.trace(rung, [program], options: ["--exit-status"])
                #expect(report.status == 42)
                for (function, want) in [
                    ("leak_new()", [14_400, 300]), ("leak_array()", [60_000, 300]),
                    ("leak_cycle()", [600 * 96, 600]), ("leak_and_throw(int)", [7200, 300]),
                    ("fail(unsigned long)", [0, 0]),
                ] {
                    let sum = report.sum(function)
                    #expect(sum == want, "\(rung) \(function)")
                    Live.record("memleak", "allocators/\(rung)", "C++ \(function)", sum == want, "\(sum) of \(want)")
                }
                #expect(report.losses == 0, "\(report.lost)")
            }
        }

        @Test("Rust: names of both manglings", arguments: Fixture.rust)
        func rust(fixture: Fixture) throws {
            // no kernel changes names
            if Live.inMatrix && fixture.testDescription.contains("legacy") { return }
            guard let program = try fixture.path() else { return }
            let report = try MemLeakTool.trace(nil, [program])
            // a counted reference is two counts, and what it refers to: 16 + 8 + 8 + 64
            #expect(report.sum { $0.hasPrefix("leaks::leak_box") } == [12_000, 300])
            #expect(report.sum { $0.hasPrefix("leaks::leak_cycle") } == [300 * 96, 300])
            #expect(report.sum { $0.hasPrefix("leaks::main") }[1] == 600)
            #expect(report.summary.int("unmatched_frees") == 0)
            #expect(report.losses == 0, "\(report.lost)")
        }

        @Test("Swift, optimised: the function that leaks, demangled; a cycle of references")
        func swift() throws {
            guard let program = try Fixture.swift.path() else { return }
            let report = try MemLeakTool.trace(nil, [program])
            #expect(report.sum { $0.contains("leaky.leakNode()") }[1] == 1000)
            #expect(report.sum { $0.contains("leaky.leakRing()") }[1] == 2000)
            #expect(report.losses == 0, "\(report.lost)")
            Live.record(
                "memleak", "-", "Swift", report.sum { $0.contains("leaky.leakRing()") }[1] == 2000,
                "\(report.sum { $0.contains("leaky.leakRing()") })")
        }
    }
}
