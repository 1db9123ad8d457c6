// SPDX-License-Identifier: Apache-2.0

/// /proc/zoneinfo: the counters of each node and zone, and what each CPU keeps to itself (mm/vmstat.c,
/// `zoneinfo_show_print`). One read of it tells all, so that its counters fit each other on a busy machine.
public struct ZoneInfo: Hashable, Sendable {
    /// One zone of a node that has memory, in pages.
    public struct Zone: Hashable, Sendable {
        public var node: Int
        public var name: String
        public var free: UInt64 = 0
        public var min: UInt64 = 0
        public var low: UInt64 = 0
        public var high: UInt64 = 0
        /// Taken over at boot, less what was reserved: the sum over all zones is MemTotal.
        public var managed: UInt64 = 0
        /// What there is, reserved memory too.
        public var present: UInt64 = 0
        /// Its counters by name, `nr_free_pages`…
        public var counters: [String: UInt64] = [:]
        /// Pages on the free lists of each CPU.
        public var perCPUFree: [UInt64] = []
        /// What each CPU may count before it tells.
        public var thresholds: [UInt64] = []
    }

    public private(set) var zones: [Zone] = []
    /// Counters of a node by its number and the counter's name.
    public private(set) var nodes: [Int: [String: UInt64]] = [:]

    private enum Section { case none, node, zone, pagesets }

    /// Reads the file's text; a line that is none of the kernel's is left out.
    public init(_ text: String) {
        var section = Section.none
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: true)
            guard let first = words.first else { continue }
            if first.elementsEqual("Node".utf8) {
                guard words.count == 4, words[1].last == UInt8(ascii: ","),
                    let node = decimal(words[1].dropLast()).flatMap(Int.init(exactly:))
                else {
                    section = .none
                    continue
                }
                zones.append(Zone(node: node, name: String(decoding: words[3], as: UTF8.self)))
                section = .zone
            } else if !zones.isEmpty {
                section = take(words, section)
            }
        }
        // those without memory have no counters
        zones.removeAll { $0.managed == 0 && $0.present == 0 }
    }

    private mutating func take(_ words: [Substring.UTF8View.SubSequence], _ section: Section) -> Section {
        let last = zones.count - 1
        if words[0].elementsEqual("per-node".utf8) { return .node }
        if words[0].elementsEqual("pagesets".utf8) { return .pagesets }
        if words[0].elementsEqual("pages".utf8) {
            if words.count == 3, let value = decimal(words[2]) { zones[last].free = value }
            return .zone
        }
        guard words.count >= 2, let value = decimal(words[words.count - 1]) else { return section }
        let name = String(decoding: words[0], as: UTF8.self)
        switch (section, name) {
        case (.none, _): break
        case (.node, _): nodes[zones[last].node, default: [:]][name] = value
        case (.pagesets, "count:"): zones[last].perCPUFree.append(value)
        case (.pagesets, "vm"): zones[last].thresholds.append(value)
        case (.pagesets, _): break
        case (.zone, "min"): zones[last].min = value
        case (.zone, "low"): zones[last].low = value
        case (.zone, "high"): zones[last].high = value
        case (.zone, "present"): zones[last].present = value
        case (.zone, "managed"): zones[last].managed = value
        case (.zone, _): zones[last].counters[name] = value
        }
        return section
    }

    /// The sum of a node's counter over all nodes, in pages; nil where no node has it.
    public func nodeSum(_ name: String) -> UInt64? { Self.sum(nodes.values.compactMap { $0[name] }) }

    /// The sum of a zone's counter over all zones, in pages; nil where no zone has it.
    public func zoneSum(_ name: String) -> UInt64? { Self.sum(zones.compactMap { $0.counters[name] }) }

    /// Pages on the free lists of CPUs, which MemFree does not count; nil where the file tells of none.
    public var perCPUFree: UInt64? { Self.sum(zones.flatMap(\.perCPUFree)) }

    /// Pages that the kernel manages, which is MemTotal; nil where the file does not tell.
    public var managed: UInt64? { Self.sum(zones.map(\.managed)) }

    /// By how many pages a counter of zones may be off: what CPUs keep to themselves.
    public var zoneCounterError: UInt64 { Self.sum(zones.flatMap(\.thresholds)) ?? 0 }

    /// By how many pages a counter of nodes may be off. Each CPU has the largest of its zones' thresholds there
    /// (mm/vmstat.c, `refresh_zone_stat_thresholds`).
    public var nodeCounterError: UInt64 {
        var largest: [Int: [UInt64]] = [:]
        for zone in zones {
            var known = largest[zone.node] ?? []
            for (cpu, threshold) in zone.thresholds.enumerated() {
                if cpu < known.count { known[cpu] = Swift.max(known[cpu], threshold) } else { known.append(threshold) }
            }
            largest[zone.node] = known
        }
        return Self.sum(largest.values.flatMap { $0 }) ?? 0
    }

    /// CPUs that the file tells of.
    public var cpus: Int { zones.map(\.thresholds.count).max() ?? 0 }

    private static func sum(_ values: [UInt64]) -> UInt64? {
        guard !values.isEmpty else { return nil }
        var total: UInt64 = 0
        for value in values {
            let (sum, overflow) = total.addingReportingOverflow(value)
            guard !overflow else { return nil }
            total = sum
        }
        return total
    }
}
