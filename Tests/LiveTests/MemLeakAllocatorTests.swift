// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// Other allocators than glibc's: found, hooked, and counted to the byte.
    @Suite(.serialized) struct MemLeakAllocators {
        private func checkAllocations(_ report: MemLeakResult, _ name: String) {
            for (function, want) in [
                ("leak_malloc", [30_000, 300]), ("leak_calloc", [6300, 300]), ("leak_realloc", [900_000, 300]),
                ("leak_posix_memalign", [60_000, 300]), ("leak_aligned_alloc", [38_400, 300]),
                ("leak_big", [20 << 20, 20]), ("churn", [0, 0]),
            ] {
                let sum = report.sum(function)
                #expect(sum == want, "\(name): \(function)")
                Live.record("memleak", "-", "\(name) \(function)", sum == want, "\(sum) of \(want)")
            }
            report.expectWhole("\(name)")
        }

        @Test("musl, dynamic and static", arguments: Fixture.musl)
        func musl(fixture: Fixture) throws {
            guard let program = try fixture.path() else { return }
            for rung in try MemLeakTool.someRungs() {
                let report = try MemLeakTool.trace(rung, [program])
                checkAllocations(report, fixture.testDescription)
                #expect(report.hooked.count == 1)
            }
        }

        @Test("preloaded", arguments: ["libjemalloc.so.2", "libtcmalloc_minimal.so.4", Fixture.mimalloc])
        func preloaded(library: String) throws {
            guard let program = try Fixture.allocations.path() else { return }
            for rung in try MemLeakTool.someRungs() {
                let report = try MemLeakTool.trace(rung, ["env", "LD_PRELOAD=\(library)", program])
                checkAllocations(report, library)
                #expect(report.hooked.contains { $0.text("file")?.contains(library) == true })
            }
        }

        @Test("an operator new that is not malloc: seen by sessions, counted elsewhere; exceptions pass")
        func ownNew() throws {
            guard let program = try Fixture.cxx[0].path() else { return }
            for rung in try MemLeakTool.someRungs() {
                let report = try MemLeakTool.trace(
                    rung, ["env", "LD_PRELOAD=libjemalloc.so.2", program], options: ["--exit-status"])
                #expect(report.status == 42, "\(rung)")
                let seen = rung == "session"
                #expect(report.sum("leak_new()") == (seen ? [14_400, 300] : [0, 0]), "\(rung)")
                #expect(report.sum("leak_array()") == (seen ? [60_000, 300] : [0, 0]), "\(rung)")
                let unseen = report.summary.int("unseen_new_calls") ?? 0
                // 300 of each kind, two of make_shared, one in six left with an exception
                #expect(seen ? unseen == 6 : unseen >= 1806, "\(rung): \(unseen)")
                Live.record(
                    "memleak", "allocators/\(rung)", "jemalloc's operator new", report.status == 42, "\(unseen) unseen")
            }
        }

        @Test("jemalloc's own functions, as Rust's programs call them")
        func jemallocOwn() throws {
            guard let program = try Fixture.jemallocOwn.path() else { return }
            for rung in try MemLeakTool.someRungs() {
                let report = try MemLeakTool.trace(rung, [program])
                #expect(report.sum("leak_mallocx") == [30_000, 300])
                #expect(report.sum("leak_rallocx") == [210_000, 300])
                report.expectWhole()
            }
        }

        @Test("mimalloc's own functions")
        func mimallocOwn() throws {
            guard let program = try Fixture.mimallocOwn.path() else { return }
            for rung in try MemLeakTool.someRungs() {
                let report = try MemLeakTool.trace(rung, [program])
                #expect(report.sum("leak_zalloc") == [30_000, 300])
                #expect(report.sum("leak_aligned") == [60_000, 300])
                #expect(report.sum("leak_realigned") == [2_700_000, 300])
                report.expectWhole()
            }
        }

        @Test("--symbols-prefix and -O: an allocator in the program, and no other")
        func prefixed() throws {
            guard let program = try Fixture.prefixed.path() else { return }
            // Not asked for, it is not known: the C library's alone is.
            let plain = try MemLeakTool.trace(nil, [program])
            #expect(plain.sum("leak_own") == [0, 0])
            #expect(plain.sum("leak_libc") == [21_000, 300])
            let own = try MemLeakTool.trace(nil, [program], options: ["--symbols-prefix", "my_", "-O", program])
            #expect(own.sum("leak_own") == [30_000, 300])
            #expect(own.sum("leak_own_realloc") == [60_000, 300])
            #expect(own.sum("leak_libc") == [0, 0])
            #expect(
                own.hooked.map { $0.text("file")?.hasSuffix("/" + URL(fileURLWithPath: program).lastPathComponent) }
                    == [true])
            own.expectWhole()
            // a library by the linker's name
            let libc = try MemLeakTool.trace(nil, [program], options: ["-O", "c"])
            #expect(libc.sum("leak_libc") == [21_000, 300])
            #expect(libc.hooked.count == 1)
        }

        @Test("reallocarray, pvalloc, mremap in place, grown, onto another")
        func moves() throws {
            guard let program = try Fixture.moves.path() else { return }
            for rung in try MemLeakTool.someRungs() {
                let report = try MemLeakTool.trace(rung, [program])
                for (function, want) in [
                    ("leak_reallocarray", [21_000, 100]), ("leak_pvalloc", [500_000, 100]),
                    ("leak_grown", [100 * 5 * 4096, 100]), ("leak_moved", [100 * 3 * 4096, 100]),
                    ("leak_nothing", [0, 0]),
                ] {
                    let sum = report.sum(function)
                    #expect(sum == want, "\(rung) \(function)")
                    Live.record("memleak", "allocators/\(rung)", function, sum == want, "\(sum) of \(want)")
                }
                // shrunk in place it is still the mapping that mmap's caller made
                let all = (report.summary.int("outstanding_bytes") ?? 0)
                #expect(all == 21_000 + 500_000 + 100 * (5 + 4 + 3) * 4096, "\(rung)")
                #expect(report.summary.int("failed_calls") == 100)
                report.expectWhole("\(rung)")
            }
        }
    }
}
