// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// An open file descriptor, closed when its owner goes.
public struct OwnedDescriptor: ~Copyable, Sendable {
    /// The number, valid while this lives.
    public let raw: Int32

    /// Takes a descriptor over; it must be open and nobody else's to close.
    public init(owning raw: Int32) { self.raw = raw }

    deinit { close(raw) }

    /// Gives the descriptor away, open.
    consuming func release() -> Int32 {
        let raw = self.raw
        discard self
        return raw
    }
}
