// SPDX-License-Identifier: Apache-2.0
import LibBPF
import Probes

/// A kernel with everything but some hooks and requirements.
final class WholeKernel: KernelOracle {
    let version: KernelVersion?
    private let missing: Set<AttachPoint>
    private let unmet: Set<Requirement>

    init(
        _ version: KernelVersion? = nil, without missing: Set<AttachPoint> = [],
        requirements unmet: Set<Requirement> = []
    ) {
        self.version = version
        self.missing = missing
        self.unmet = unmet
    }

    func support(for hook: AttachPoint) -> Support { missing.contains(hook) ? .unsupported("refused") : .supported }
    func support(for requirement: Requirement) -> Support {
        unmet.contains(requirement) ? .unsupported("does not hold") : .supported
    }
}
