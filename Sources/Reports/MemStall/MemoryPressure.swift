// SPDX-License-Identifier: Apache-2.0

/// The kernel's own sums of stalls for want of memory (PSI), since boot, in nanoseconds.
public struct MemoryPressure: Hashable, Sendable {
    /// While some task stalled, the CPUs weighed by the time that they were not idle.
    public var some: UInt64
    /// While all that were not idle stalled.
    public var full: UInt64

    public init(some: UInt64, full: UInt64) { (self.some, self.full) = (some, full) }

    /// Reads /proc/pressure/memory, or a cgroup's memory.pressure; nil where the text is no such file's.
    public init?(_ text: String) {
        func total(_ kind: String) -> UInt64? {
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ")
                guard words.first == Substring(kind) else { continue }
                let value = words.first { $0.hasPrefix("total=") }?.dropFirst("total=".count)
                let (nanoseconds, overflow) = (value.flatMap { UInt64($0) } ?? .max).multipliedReportingOverflow(
                    by: 1000)
                return value == nil || overflow ? nil : nanoseconds
            }
            return nil
        }
        guard let some = total("some"), let full = total("full") else { return nil }
        self.init(some: some, full: full)
    }

    /// What was added since an earlier reading.
    public func since(_ earlier: MemoryPressure) -> MemoryPressure {
        MemoryPressure(
            some: some > earlier.some ? some - earlier.some : 0, full: full > earlier.full ? full - earlier.full : 0)
    }
}
