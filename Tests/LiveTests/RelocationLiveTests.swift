// SPDX-License-Identifier: Apache-2.0
import LibBPF
import Probes
import Testing

@testable import swiftmem

/// Answers as the running kernel does, and leaves all types to libbpf.
private final class WholeTypes: KernelOracle {
    private let kernel = RunningKernel()

    func support(for hook: AttachPoint) -> Support { kernel.support(for: hook) }
    func support(for requirement: Requirement) -> Support { kernel.support(for: requirement) }
}

extension LiveTests {
    /// What `KernelBTF.subset` leaves out changes no program.
    @Suite(.serialized, .exercises("cachestat")) struct Relocations {
        private func tags(_ tool: any swiftmem.Tool.Type, _ set: ProbeSet, _ oracle: any KernelOracle) throws
            -> [String: UInt64]
        {
            let attached = try AttachedProbes.attach(
                set, image: objectImage(set.object), oracle: oracle,
                configure: { (object, resolution) throws(BPFError) in try tool.configure(object, resolution) })
            var tags: [String: UInt64] = [:]
            for program in attached.resolution.programs { tags[program] = try attached.object.tag(ofProgram: program) }
            return tags
        }

        @Test("every program is relocated the same by the few types as by all")
        func same() throws {
            for tool in tools {
                for set in [tool.probes] + tool.otherProbes {
                    let few = try tags(tool, set, RunningKernel())
                    #expect(!few.isEmpty)
                    #expect(few.values.allSatisfy { $0 != 0 })
                    #expect(few == (try tags(tool, set, WholeTypes())), "\(set.object)")
                }
            }
        }
    }
}
