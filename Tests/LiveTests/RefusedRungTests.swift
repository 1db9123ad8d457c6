// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibBPF
import Probes
import TestObjects
import Testing

/// struct ringtest_config of Tests/TestObjects/ringtest.bpf.c.
private struct FloodConfig {
    var pid: UInt32
    var syscall: UInt32
}

/// asm/unistd_64.h and asm-generic/unistd.h
#if arch(x86_64)
    private let getppidNumber: UInt32 = 110
#else
    private let getppidNumber: UInt32 = 173
#endif

extension LiveTests {
    /// Rungs that the kernel refuses when they are loaded.
    @Suite(.serialized) struct RefusedRungs {
        static var image: UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(start: ringtest_image(), count: ringtest_size())
        }

        private enum Flood: String, Ladder {
            case refused, raw
            static let id = "flood"
            static let sees = "calls"

            var rung: Rung {
                switch self {
                case .refused: Rung(.tracepoint, on: .all, programs: ["no_verifier"])
                case .raw: Rung(.tracepoint, on: .all, programs: ["flood"])
                }
            }
        }

        private func flooded() throws -> AttachedProbes {
            let probes = ProbeSet(tool: "ringtest", ladders: [Flood.self])
            return try AttachedProbes.attach(
                probes, image: Self.image, oracle: RunningKernel(),
                configure: { (object, _) throws(BPFError) in
                    try object.setReadOnlyData(
                        ".rodata.config",
                        to: FloodConfig(pid: UInt32(getpid()), syscall: getppidNumber))
                })
        }

        @Test("a rung that the verifier refuses is passed over, with its words kept")
        func fallThrough() throws {
            let attached = try flooded()
            let choice = try #require(attached.resolution.choices.first)
            #expect(attached.resolution[Flood.self] == .raw)
            #expect(choice.passedOver.map(\.rung) == ["refused"])
            #expect(choice.passedOver.first?.reason.hasPrefix("load program no_verifier: ") == true)
        }
    }
}
