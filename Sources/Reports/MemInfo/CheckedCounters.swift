// SPDX-License-Identifier: Apache-2.0

/// The kernel's counters in bytes, each held against the memory there is: one that is larger is named and not used.
struct CheckedCounters {
    private let reading: MemoryReading
    private let total: UInt64
    /// Those that no memory of this size can hold.
    private(set) var absurd: [String] = []
    /// How many counters of nodes and zones were used, each with an error of its own.
    private(set) var nodeCounters = 0, zoneCounters = 0

    init(_ reading: MemoryReading, total: UInt64) { (self.reading, self.total) = (reading, total) }

    /// A line of /proc/meminfo.
    mutating func meminfo(_ name: String) -> UInt64? { checked(name, reading.meminfo[name]) }

    /// A counter of nodes; where /proc/zoneinfo has none, the line of /proc/meminfo that shows it.
    mutating func node(_ name: String, or line: String? = nil) -> UInt64? {
        guard let pages = reading.zones.nodeSum(name) else {
            guard let line, let bytes = reading.meminfo[line] else { return nil }
            nodeCounters += 1
            return checked(line, bytes)
        }
        nodeCounters += 1
        return checked(name, bytes(pages))
    }

    /// The same of zones.
    mutating func zone(_ name: String, or line: String? = nil) -> UInt64? {
        guard let pages = reading.zones.zoneSum(name) else {
            guard let line, let bytes = reading.meminfo[line] else { return nil }
            zoneCounters += 1
            return checked(line, bytes)
        }
        zoneCounters += 1
        return checked(name, bytes(pages))
    }

    /// In bytes; the largest number where no memory has so many pages.
    func bytes(_ pages: UInt64) -> UInt64 {
        let (bytes, overflow) = pages.multipliedReportingOverflow(by: reading.machine.pageBytes)
        return overflow ? .max : bytes
    }

    /// A number of bytes; nil, and named, where it is more than there is.
    mutating func checked(_ name: String, _ bytes: UInt64?) -> UInt64? {
        guard let bytes else { return nil }
        guard bytes <= total else {
            if !absurd.contains(name) { absurd.append(name) }
            return nil
        }
        return bytes
    }
}
