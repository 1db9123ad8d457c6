// SPDX-License-Identifier: Apache-2.0

/// The part of /proc/meminfo that reports show.
public struct MemoryInfo: Hashable, Sendable {
    public var buffersBytes: UInt64?
    public var cachedBytes: UInt64?

    /// Reads the file's text; what it does not say is nil.
    public init(meminfo text: String) {
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", omittingEmptySubsequences: true)
            guard parts.count >= 2, let kilobytes = UInt64(parts[1]) else { continue }
            let (bytes, overflow) = kilobytes.multipliedReportingOverflow(by: 1024)
            guard !overflow else { continue }
            switch parts[0] {
            case "Buffers:": buffersBytes = bytes
            case "Cached:": cachedBytes = bytes
            default: break
            }
        }
    }
}
