// SPDX-License-Identifier: Apache-2.0

/// A path as the kernel sees it: bytes without NUL, not necessarily UTF-8.
public struct BytePath: Hashable, Sendable {
    /// The bytes, without a terminator.
    public let bytes: [UInt8]

    /// Cut at the first NUL, as the kernel would.
    public init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes.prefix { $0 != 0 })
    }

    /// The UTF-8 of `string`.
    public init(_ string: String) {
        self.init(string.utf8)
    }

    package static func + (first: BytePath, second: BytePath) -> BytePath {
        BytePath(first.bytes + second.bytes)
    }

    /// What follows the last slash.
    public var lastComponent: BytePath {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return self }
        return BytePath(bytes[(slash + 1)...])
    }

    /// Everything before the last slash; empty where there is none.
    package var directory: BytePath {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return BytePath("") }
        return BytePath(bytes[..<slash])
    }

    package func withCString<R, E: Error>(_ body: (UnsafePointer<CChar>) throws(E) -> R) throws(E) -> R {
        var terminated = bytes.map { CChar(bitPattern: $0) }
        terminated.append(0)
        // SAFETY: the pointer lives as long as the array, which outlives `body`, and is NUL-terminated.
        return try terminated.withUnsafeBufferPointer { buffer throws(E) in
            try body(buffer.baseAddress.unsafelyUnwrapped)
        }
    }
}

extension BytePath: CustomStringConvertible {
    /// For people: bytes which aren't UTF-8 are replaced.
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}

extension BytePath: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self.init(value) }
}
