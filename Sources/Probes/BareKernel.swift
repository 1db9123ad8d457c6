// SPDX-License-Identifier: Apache-2.0
public import LibBPF

/// A kernel where every hook is refused: what a tool says on it is tested.
public final class BareKernel: KernelOracle {
    private let reason: String

    public init(reason: String = "refused") { self.reason = reason }

    /// None: the reason to be heard is the refusal.
    public var version: KernelVersion? { nil }
    public func support(for hook: AttachPoint) -> Support { .unsupported(reason) }
    public func support(for requirement: Requirement) -> Support { .unsupported(reason) }
}
