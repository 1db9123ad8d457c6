// SPDX-License-Identifier: Apache-2.0
import LibBPF
import Probes

/// A kernel of a version, that has what it is given.
final class FakeKernel: KernelOracle {
    var version: KernelVersion?
    var hooks: Set<AttachPoint>
    var holds: Set<Requirement>

    init(_ version: KernelVersion? = nil, hooks: Set<AttachPoint> = [], holds: Set<Requirement> = []) {
        self.version = version
        self.hooks = hooks
        self.holds = holds
    }

    func support(for hook: AttachPoint) -> Support {
        hooks.contains(hook) ? .supported : .unsupported("not here")
    }
    func support(for requirement: Requirement) -> Support {
        holds.contains(requirement) ? .supported : .unsupported("does not hold")
    }
}
