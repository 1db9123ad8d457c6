// SPDX-License-Identifier: Apache-2.0
import Glibc
package import SystemPackage
import Testing

internal import Symbols

/// Deterministic noise.
package struct SplitMix: RandomNumberGenerator {
    package var state: UInt64

    package init(state: UInt64) { self.state = state }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// A file with the given bytes, removed at the end of its life.
package final class TemporaryFile {
    package let path: FilePath

    package init(_ bytes: [UInt8]) throws {
        var template = Array("/tmp/symbols-test-XXXXXX\0".utf8).map { CChar(bitPattern: $0) }
        let descriptor = mkstemp(&template)
        try #require(descriptor >= 0)
        path = FilePath(platformString: template)
        defer { close(descriptor) }
        var written = 0
        while written < bytes.count {
            let step = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            try #require(step > 0)
            written += step
        }
    }

    deinit { _ = path.withPlatformString { unlink($0) } }
}

/// Ends a test for want of something outside; a failure where SWIFTMEM_LIVE=require.
package func skip(_ missing: String) throws {
    if let wanted = getenv("SWIFTMEM_LIVE"), String(cString: wanted) == "require" {
        Issue.record("needs \(missing)")
    } else {
        try Test.cancel("needs \(missing)")
    }
}
