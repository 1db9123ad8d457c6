// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// A kernel's version, as `uname -r` begins: for words to the user, and for the ranges that rungs are true on.
/// What a kernel can do is asked of the kernel. Its version tells only where what it can do is not enough to know
/// that the numbers are right.
public struct KernelVersion: Comparable, Hashable, Sendable, CustomStringConvertible {
    public let major: Int
    public let minor: Int

    public init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Reads the leading `major.minor` of a release; nil where there is none.
    public init?(release: String) {
        let parts = release.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, let major = Int(parts[0]),
            let minor = Int(parts[1].prefix { $0.isNumber })
        else { return nil }
        self.init(major, minor)
    }

    public static func < (a: Self, b: Self) -> Bool { (a.major, a.minor) < (b.major, b.minor) }

    public var description: String { "\(major).\(minor)" }

    /// The running kernel's release, e.g. `6.12.0-1-amd64`.
    public static var runningRelease: String {
        var names = utsname()
        guard uname(&names) == 0 else { return "" }
        // SAFETY: uname() NUL-terminates every field within its array.
        return withUnsafeBytes(of: names.release) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// The running kernel's version; 0.0 where it can't be read.
    public static var running: KernelVersion {
        KernelVersion(release: runningRelease) ?? KernelVersion(0, 0)
    }
}
