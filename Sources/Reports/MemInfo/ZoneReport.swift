// SPDX-License-Identifier: Apache-2.0

/// A zone beside its watermarks, and a node beside the others, in bytes.
public enum ZoneReport {
    /// What the reclaim of a zone does at so many free pages (mm/page_alloc.c, mm/vmscan.c).
    public enum State: String, Hashable, Sendable {
        /// kswapd sleeps.
        case aboveHigh = "above_high"
        /// kswapd goes on until the high mark, if it has begun.
        case aboveLow = "above_low"
        /// kswapd is woken by each allocation.
        case aboveMin = "above_min"
        /// Allocations reclaim themselves, and wait for that.
        case belowMin = "below_min"
    }

    /// nil where the zone has no watermarks.
    public static func state(_ zone: ZoneInfo.Zone) -> State? {
        guard zone.high > 0 else { return nil }
        if zone.free > zone.high { return .aboveHigh }
        if zone.free > zone.low { return .aboveLow }
        return zone.free > zone.min ? .aboveMin : .belowMin
    }

    /// A line a zone.
    public static func lines(_ zones: ZoneInfo, pageBytes: UInt64) -> [String] {
        var heading = TableLine()
        heading.left("NODE ZONE", 13)
        heading.right(["ZONE_MB", "FREE", "CPUS'", "MIN", "LOW", "HIGH"], 8)
        heading.add("STATE")
        return [heading.text]
            + zones.zones.map { zone in
                var line = TableLine()
                line.left("\(zone.node)".left(4) + " " + Printable.text(zone.name), 13)
                let pages = [zone.managed, zone.free, perCPUFree(zone), zone.min, zone.low, zone.high]
                line.right(pages.map { megabytes($0, pageBytes) }, 8)
                line.add(state(zone)?.rawValue.replacingUnderscores ?? "-")
                return line.text
            }
    }

    /// A line a node, of what lies where.
    public static func nodeLines(_ zones: ZoneInfo, pageBytes: UInt64) -> [String] {
        var heading = TableLine()
        heading.left("NODE", 13)
        heading.right(["NODE_MB", "FREE", "ANON", "FILE", "SHMEM", "SLAB"], 8)
        return [heading.text]
            + zones.nodeNumbers.map { node in
                var line = TableLine()
                line.left("\(node)", 13)
                line.right(numbers(node, zones).map { $0.map { megabytes($0, pageBytes) } ?? "-" }, 8)
                return line.text
            }
    }

    /// A node's numbers, in pages: all, free, anonymous, files, shared, slab.
    private static func numbers(_ node: Int, _ zones: ZoneInfo) -> [UInt64?] {
        let own = zones.zones.filter { $0.node == node }
        let counters = zones.nodes[node] ?? [:]
        let shared = counters["nr_shmem"]
        let slab = counters["nr_slab_reclaimable"].flatMap { reclaimable in
            counters["nr_slab_unreclaimable"].map { reclaimable.addingCapped($0) }
        }
        return [
            own.reduce(0) { $0.addingCapped($1.managed) }, own.reduce(0) { $0.addingCapped($1.free) },
            counters["nr_anon_pages"], counters["nr_file_pages"].map { $0 - min($0, shared ?? 0) }, shared, slab,
        ]
    }

    private static func perCPUFree(_ zone: ZoneInfo.Zone) -> UInt64 {
        zone.perCPUFree.reduce(0) { $0.addingCapped($1) }
    }

    private static func megabytes(_ pages: UInt64, _ pageBytes: UInt64) -> String {
        fixed(Double(pages.multipliedCapped(by: pageBytes)) / 1_048_576, 1)
    }

    /// A record a zone.
    public static func json(_ zones: ZoneInfo, pageBytes: UInt64, _ time: WallTime) -> [JSONLine] {
        zones.zones.map { zone in
            var line = JSONLine(type: "meminfo_zone")
            line.add("time", time.rfc3339)
            line.add("node", zone.node)
            line.add("zone", zone.name)
            line.add("managed_bytes", zone.managed.multipliedCapped(by: pageBytes))
            line.add("free_bytes", zone.free.multipliedCapped(by: pageBytes))
            line.add("free_percpu_bytes", perCPUFree(zone).multipliedCapped(by: pageBytes))
            line.add("min_bytes", zone.min.multipliedCapped(by: pageBytes))
            line.add("low_bytes", zone.low.multipliedCapped(by: pageBytes))
            line.add("high_bytes", zone.high.multipliedCapped(by: pageBytes))
            line.add("state", state(zone)?.rawValue)
            return line
        }
    }

    /// A record a node.
    public static func nodeJSON(_ zones: ZoneInfo, pageBytes: UInt64, _ time: WallTime) -> [JSONLine] {
        zones.nodeNumbers.map { node in
            var line = JSONLine(type: "meminfo_node")
            line.add("time", time.rfc3339)
            line.add("node", node)
            let keys = ["managed_bytes", "free_bytes", "anon_bytes", "file_bytes", "shmem_bytes", "slab_bytes"]
            for (key, pages) in zip(keys, numbers(node, zones)) {
                line.add(key, pages.map { $0.multipliedCapped(by: pageBytes) })
            }
            return line
        }
    }
}

extension ZoneInfo {
    /// The nodes that have memory, in order.
    var nodeNumbers: [Int] { Set(zones.map(\.node)).sorted() }
}

extension String {
    fileprivate var replacingUnderscores: String { String(map { $0 == "_" ? " " : $0 }) }
}
