// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// memleak by the sampler in the process, against workload-leaker.
    @Suite(.serialized, .exercises("memleak")) struct MemLeakSampled {
        static let leaker = Workload.path("leaker")

        /// `make sampler` puts it there.
        static func sampler() throws -> String {
            let path = Tool.directory.deletingLastPathComponent().deletingLastPathComponent()
                .appendingPathComponent("sampler/libswiftmem-sampler.so").path
            guard FileManager.default.fileExists(atPath: path) else {
                throw HarnessError(description: "\(path) is not there: make sampler")
            }
            return path
        }

        /// At a byte between samples every block of a hundred is one, and stands for itself.
        @Test("a command whose every block is sampled, exactly", .tags(.brief))
        func command() throws {
            _ = try Self.sampler()
            let kinds = "malloc,calloc,realloc,memalign,posix_memalign,aligned_alloc,valloc,strdup,realloc-chain"
            let finished = try Tool.run(
                [
                    "memleak", "--json", "-T", "1000", "--sampled", "--sample-bytes", "1", "1000", "--", Self.leaker,
                    "--kind", kinds, "--count", "50",
                ])
            let report = try MemLeakResult(finished)
            let truth = try #require(report.truth)
            #expect(truth.kinds.count == 9)
            for kind in truth.kinds {
                report.expect(kind.function, [kind.outstandingBytes, kind.outstandingCount])
            }
            #expect(report.losses == 0, "\(report.lost)")
            #expect(report.hooked.flatMap(\.functions).sorted() == ["swiftmem_sampled_alloc", "swiftmem_sampled_free"])
            // neither the sampler's functions nor malloc are callers
            for stack in report.stacks where stack.isOn({ $0 == "leak_here" }) {
                #expect(stack.frames?.first?.symbol == "leak_here")
            }
        }

        @Test("an estimate, with a standard error that holds the truth")
        func estimate() throws {
            _ = try Self.sampler()
            let finished = try Tool.run(
                [
                    "memleak", "--json", "-T", "1000", "--sampled", "--sample-bytes", "4K", "1000", "--", Self.leaker,
                    "--count", "20000",
                ])
            let report = try MemLeakResult(finished)
            let stack = try #require(report.stacks.first { $0.isOn { $0 == "leak_here" } })
            #expect(stack.estimated)
            let error = try #require(stack.bytesError)
            // 488 samples: 4.5 % of the truth; six errors are not seen in a lifetime
            #expect((50_000...150_000).contains(error), "\(error)")
            #expect(abs(stack.bytes - 2_000_000) <= 6 * error, "\(stack.bytes) ± \(error)")
        }

        @Test("what was sampled before the trace is told from the sampler's table")
        func before() throws {
            let target = try Running(
                URL(fileURLWithPath: Self.leaker), ["--count", "300", "--hold"],
                environment: ["LD_PRELOAD": try Self.sampler(), "SWIFTMEM_SAMPLE_BYTES": "1"])
            let truth = try target.row(LeakerTruth.self)
            let report = try MemLeakResult(
                Tool.run(["memleak", "--json", "-p", "\(target.pid)", "-T", "1000", "-o", "0", "1", "1"]))
            target.closeInput()
            let kind = try #require(truth.kinds.first)
            report.expect("leak_here", [kind.outstandingBytes, kind.outstandingCount])
            let stack = try #require(report.stacks.first { $0.isOn { $0 == "leak_here" } })
            #expect(stack.frames?.count == 2 && stack.frames?.last?.module == "[before the trace]")
        }

        @Test("a process without a sampler is said to have none")
        func missing() throws {
            let target = try Running(Self.leaker, ["--hold"])
            try target.row(LeakerTruth.self)
            let finished = try Tool.run(["memleak", "-p", "\(target.pid)", "--sampled", "1", "1"])
            target.closeInput()
            #expect(finished.status == 69)
            #expect(finished.errors.contains("no sampler takes samples in process \(target.pid)"))
        }
    }
}
