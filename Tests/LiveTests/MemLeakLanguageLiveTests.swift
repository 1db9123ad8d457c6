// SPDX-License-Identifier: Apache-2.0
import Testing

extension LiveTests {
    /// Programs of several languages and builds: counts to the byte, the leaking function by its readable name.
    @Suite(.serialized, .exercises("memleak")) struct MemLeakLanguages {
        @Test(
            "C with and without frame pointers, static, stripped", arguments: Fixture.builds,
            try MemLeakTool.someRungs())
        func builds(fixture: Fixture, rung: String) throws {
            let report = try MemLeakTool.trace(rung, [try fixture.path()])
            report.expect("leak_me", [50_000, 500])
            report.expectWhole()
        }

        @Test(
            "C++: operator new by its caller, make_shared in a cycle, exceptions stay catchable",
            arguments: Fixture.cxx, try MemLeakTool.someRungs())
        func cxx(fixture: Fixture, rung: String) throws {
            let report = try MemLeakTool.trace(rung, [try fixture.path()], options: ["--exit-status"])
            #expect(report.status == 42)
            for (function, want) in [
                ("leak_new()", [14_400, 300]), ("leak_array()", [60_000, 300]),
                ("leak_cycle()", [600 * 96, 600]), ("leak_and_throw(int)", [7200, 300]),
                ("fail(unsigned long)", [0, 0]),
            ] { report.expect(function, want) }
            #expect(report.losses == 0, "\(report.lost)")
        }

        /// No kernel changes names: the older mangling is not asked in the matrix.
        @Test("Rust: names of both manglings", arguments: Live.inMatrix ? [Fixture.rust[1]] : Fixture.rust)
        func rust(fixture: Fixture) throws {
            let report = try MemLeakTool.trace(nil, [try fixture.path()])
            // a counted reference is two counts, and what it refers to: 16 + 8 + 8 + 64
            #expect(report.sum { $0.hasPrefix("leaks::leak_box") } == [12_000, 300])
            #expect(report.sum { $0.hasPrefix("leaks::leak_cycle") } == [300 * 96, 300])
            #expect(report.sum { $0.hasPrefix("leaks::main") }[1] == 600)
            #expect(report.summary.unmatchedFrees == 0)
            #expect(report.losses == 0, "\(report.lost)")
        }

        @Test("Swift, optimised: the function that leaks, demangled; a cycle of references")
        func swift() throws {
            let report = try MemLeakTool.trace(nil, [try Fixture.swift.path()])
            #expect(report.sum { $0.contains("leaky.leakNode()") }[1] == 1000)
            let ring = report.sum { $0.contains("leaky.leakRing()") }
            #expect(ring[1] == 2000)
            TestRecord.note("leakRing \(ring)")
            #expect(report.losses == 0, "\(report.lost)")
        }
    }
}
