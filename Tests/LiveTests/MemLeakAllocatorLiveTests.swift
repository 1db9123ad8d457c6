// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// Other allocators than glibc's: found, hooked, and counted to the byte.
    @Suite(.serialized, .exercises("memleak")) struct MemLeakAllocators {
        private func checkAllocations(_ report: MemLeakResult) {
            for (function, want) in [
                ("leak_malloc", [30_000, 300]), ("leak_calloc", [6300, 300]), ("leak_realloc", [900_000, 300]),
                ("leak_posix_memalign", [60_000, 300]), ("leak_aligned_alloc", [38_400, 300]),
                ("leak_big", [20 << 20, 20]), ("churn", [0, 0]),
            ] { report.expect(function, want) }
            report.expectWhole()
        }

        @Test("musl, dynamic and static", arguments: Fixture.musl, try MemLeakTool.someRungs())
        func musl(fixture: Fixture, rung: String) throws {
            let report = try MemLeakTool.trace(rung, [try fixture.path()])
            checkAllocations(report)
            #expect(report.hooked.count == 1)
        }

        @Test(
            "preloaded", arguments: ["libjemalloc.so.2", "libtcmalloc_minimal.so.4", Fixture.mimalloc],
            try MemLeakTool.someRungs())
        func preloaded(library: String, rung: String) throws {
            let program = try Fixture.allocations.path()
            let report = try MemLeakTool.trace(rung, ["env", "LD_PRELOAD=\(library)", program])
            checkAllocations(report)
            #expect(report.hooked.contains { $0.file.contains(library) })
        }

        @Test(
            "an operator new that is not malloc: seen by sessions, counted elsewhere; exceptions pass",
            arguments: try MemLeakTool.someRungs())
        func ownNew(rung: String) throws {
            let program = try Fixture.cxx[0].path()
            let report = try MemLeakTool.trace(
                rung, ["env", "LD_PRELOAD=libjemalloc.so.2", program], options: ["--exit-status"])
            #expect(report.status == 42)
            let seen = rung == "session"
            report.expect("leak_new()", seen ? [14_400, 300] : [0, 0])
            report.expect("leak_array()", seen ? [60_000, 300] : [0, 0])
            let unseen = report.summary.unseenNewCalls
            TestRecord.note("\(unseen) unseen")
            // 300 of each kind, two of make_shared, one in six left with an exception
            #expect(seen ? unseen == 6 : unseen >= 1806, "\(unseen)")
        }

        @Test("jemalloc's own functions, as Rust's programs call them", arguments: try MemLeakTool.someRungs())
        func jemallocOwn(rung: String) throws {
            let report = try MemLeakTool.trace(rung, [try Fixture.jemallocOwn.path()])
            report.expect("leak_mallocx", [30_000, 300])
            report.expect("leak_rallocx", [210_000, 300])
            report.expectWhole()
        }

        @Test("mimalloc's own functions", arguments: try MemLeakTool.someRungs())
        func mimallocOwn(rung: String) throws {
            let report = try MemLeakTool.trace(rung, [try Fixture.mimallocOwn.path()])
            report.expect("leak_zalloc", [30_000, 300])
            report.expect("leak_aligned", [60_000, 300])
            report.expect("leak_realigned", [2_700_000, 300])
            report.expectWhole()
        }

        @Test("--symbols-prefix and -O: an allocator in the program, and no other")
        func prefixed() throws {
            let program = try Fixture.prefixed.path()
            // Not asked for, it is not known: the C library's alone is.
            let plain = try MemLeakTool.trace(nil, [program])
            plain.expect("leak_own", [0, 0])
            plain.expect("leak_libc", [21_000, 300])
            let own = try MemLeakTool.trace(nil, [program], options: ["--symbols-prefix", "my_", "-O", program])
            own.expect("leak_own", [30_000, 300])
            own.expect("leak_own_realloc", [60_000, 300])
            own.expect("leak_libc", [0, 0])
            let name = "/" + URL(fileURLWithPath: program).lastPathComponent
            #expect(own.hooked.map { $0.file.hasSuffix(name) } == [true])
            own.expectWhole()
            // a library by the linker's name
            let libc = try MemLeakTool.trace(nil, [program], options: ["-O", "c"])
            libc.expect("leak_libc", [21_000, 300])
            #expect(libc.hooked.count == 1)
        }

        @Test("reallocarray, pvalloc, mremap in place, grown, onto another", arguments: try MemLeakTool.someRungs())
        func moves(rung: String) throws {
            let report = try MemLeakTool.trace(rung, [try Fixture.moves.path()])
            for (function, want) in [
                ("leak_reallocarray", [21_000, 100]), ("leak_pvalloc", [500_000, 100]),
                ("leak_grown", [100 * 5 * 4096, 100]), ("leak_moved", [100 * 3 * 4096, 100]),
                ("leak_nothing", [0, 0]),
            ] { report.expect(function, want) }
            // shrunk in place it is still the mapping that mmap's caller made
            #expect(report.summary.outstandingBytes == 21_000 + 500_000 + 100 * (5 + 4 + 3) * 4096)
            #expect(report.summary.failedCalls == 100)
            report.expectWhole()
        }
    }
}
