// SPDX-License-Identifier: Apache-2.0
public import LibBPF

/// What a kernel says to a question about it.
public enum Support: Hashable, Sendable {
    case supported
    case unsupported(String)
    /// The question itself failed, so the answer is open.
    case unknown(String)

    public var isSupported: Bool { self == .supported }

    /// Why not; empty where it is supported.
    public var reason: String {
        switch self {
        case .supported: ""
        case .unsupported(let why): why
        case .unknown(let why): "could not tell: \(why)"
        }
    }
}

/// Answers for a kernel: the running one, or a made-up one in tests.
public protocol KernelOracle: AnyObject {
    /// The kernel's version, which rungs' ranges are held against; nil: not known, and they are not.
    var version: KernelVersion? { get }
    /// Can a program of this kind be loaded for, and found by, this hook?
    func support(for hook: AttachPoint) -> Support
    /// Does a requirement hold?
    func support(for requirement: Requirement) -> Support
    /// The types that `object` can be relocated to (`KernelBTF.subset`); nil where libbpf is to look for itself.
    /// All questions are answered by then: what was read to answer them is let go.
    func relocationTypes(for object: borrowing OpenObject) -> BTFFile?
}

extension KernelOracle {
    public func relocationTypes(for object: borrowing OpenObject) -> BTFFile? { nil }
}
