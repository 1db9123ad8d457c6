// SPDX-License-Identifier: Apache-2.0
public import SystemPackage

/// An open file descriptor, closed when its owner goes: the one owner of descriptors in this package.
///
/// `FileDescriptor` of swift-system is a number that anybody may copy, and closes nothing by itself.
public struct OwnedDescriptor: ~Copyable, Sendable {
    /// For swift-system's calls, valid while this lives.
    public let descriptor: FileDescriptor

    /// The number, valid while this lives.
    public var raw: CInt { descriptor.rawValue }

    /// Takes a descriptor over; it must be open and nobody else's to close.
    public init(owning descriptor: FileDescriptor) { self.descriptor = descriptor }

    /// Takes over what a C call gave; it must be open and nobody else's to close.
    public init(owning raw: CInt) { self.init(owning: FileDescriptor(rawValue: raw)) }

    deinit { try? descriptor.close() }

    /// Gives the descriptor away, open.
    public consuming func release() -> CInt {
        let raw = self.raw
        discard self
        return raw
    }
}
