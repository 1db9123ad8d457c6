// SPDX-License-Identifier: Apache-2.0

/// The part of /proc/meminfo that reports show.
public struct MemoryInfo: Hashable, Sendable {
    public var buffersBytes: UInt64?
    public var cachedBytes: UInt64?

    /// Reads the file's text; what it does not say is nil.
    public init(meminfo text: String) {
        let fields = MeminfoFields(text)
        (buffersBytes, cachedBytes) = (fields["Buffers"], fields["Cached"])
    }
}
