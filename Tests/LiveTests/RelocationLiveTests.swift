// SPDX-License-Identifier: Apache-2.0
import LibBPF
import Probes
import Testing

@testable import swiftmem

/// Answers as the running kernel does, and leaves all types to libbpf.
private final class WholeTypes: KernelOracle {
    private let kernel = RunningKernel()

    var version: KernelVersion? { kernel.version }
    func support(for hook: AttachPoint) -> Support { kernel.support(for: hook) }
    func support(for requirement: Requirement) -> Support { kernel.support(for: requirement) }
}

extension LiveTests {
    /// What `KernelBTF.subset` leaves out changes no program.
    @Suite(.serialized, .exercises("cachestat")) struct Relocations {
        private func tags(_ mode: ToolMode, _ oracle: any KernelOracle) throws -> [String: UInt64] {
            let attached = try AttachedProbes.attach(
                mode.probes, image: objectImage(mode.probes.object), oracle: oracle, configure: mode.prepare)
            var tags: [String: UInt64] = [:]
            for program in attached.resolution.programs {
                tags[program] = try attached.object.program(program).info().tag
            }
            return tags
        }

        @Test("every program is relocated the same by the few types as by all")
        func same() throws {
            for tool in tools {
                for mode in tool.modes {
                    let few = try tags(mode, RunningKernel())
                    #expect(!few.isEmpty)
                    #expect(few.values.allSatisfy { $0 != 0 })
                    #expect(few == (try tags(mode, WholeTypes())), "\(mode.probes.object)")
                }
            }
        }
    }
}
