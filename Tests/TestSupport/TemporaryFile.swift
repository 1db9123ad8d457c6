// SPDX-License-Identifier: Apache-2.0
import Glibc
package import SystemPackage
import Testing

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
