// SPDX-License-Identifier: Apache-2.0
import Reports

/// A record was not decoded that should be.
struct NotDecoded: Error {}

extension TraceEvent {
    /// Decodes a record as its bytes lie in a ring buffer, or only the first of them.
    init?<Record: BitwiseCopyable>(bytesOf record: Record, first count: Int = .max) {
        let bytes = withUnsafeBytes(of: record) { Array($0.prefix(count)) }
        self.init(bytes.span.bytes)
    }
}
