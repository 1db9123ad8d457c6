// SPDX-License-Identifier: Apache-2.0

/// The other side of an interval: who reclaims without being in need of memory, and how far it has come.
public struct MemStallReclaim: Hashable, Sendable {
    /// Those nodes whose threads woke.
    public let nodes: [ReclaimNode]
    /// Those that were called, longest first; nil where they are not seen.
    public let shrinkers: [ReclaimShrinker]?
    /// As they are at the end.
    public let zones: [ZoneInfo.Zone]

    public init(nodes: [ReclaimNode], shrinkers: [ReclaimShrinker]?, zones: [ZoneInfo.Zone]) {
        self.nodes = nodes.filter { !$0.isIdle }
        self.shrinkers = shrinkers?.filter { $0.calls > 0 }
            .sorted {
                ($1.totalNanoseconds, $0.function ?? "") < ($0.totalNanoseconds, $1.function ?? "")
            }
        self.zones = zones.filter { ZoneReport.state($0) != nil && $0.managed > 0 }
    }

    /// A line a thread that woke, a shrinker, and a zone that kswapd has to see to.
    func lines() -> [String] {
        func milliseconds(_ nanoseconds: UInt64) -> String { fixed(Double(nanoseconds) / 1e6, 1) + " ms" }
        var lines: [String] = []
        for node in nodes {
            if let rounds = node.kswapdRounds, rounds > 0 || (node.kswapdNanoseconds ?? 0) > 0 {
                var line = "kswapd\(node.node): \(rounds) rounds"
                if let work = node.kswapdNanoseconds { line += ", at work \(milliseconds(work))" }
                if let order = node.order, order > 0 { line += ", order up to \(order)" }
                lines.append(line)
            }
            if let rounds = node.kcompactdRounds, let work = node.kcompactdNanoseconds, rounds > 0 || work > 0 {
                lines.append("kcompactd\(node.node): \(rounds) rounds, at work \(milliseconds(work))")
            }
        }
        for shrinker in (shrinkers ?? []).prefix(5) {
            var line = "shrinker \(Printable.text(shrinker.function ?? "?")): \(shrinker.calls) calls, "
            line += milliseconds(shrinker.totalNanoseconds)
            line += ", longest \(milliseconds(shrinker.longestNanoseconds)), freed \(shrinker.freed)"
            lines.append(line)
        }
        for zone in zones {
            guard let state = ZoneReport.state(zone), state != .aboveHigh else { continue }
            var line = "zone \(Printable.text(zone.name)) of node \(zone.node): \(zone.free) pages free, "
            line += state.rawValue.split(separator: "_").joined(separator: " ")
            line += " (min \(zone.min), low \(zone.low), high \(zone.high))"
            lines.append(line)
        }
        return lines.flatMap { wrapped($0, indent: "   ") }
    }
}

extension MemStallJSON {
    static func line(_ reclaim: MemStallReclaim, _ interval: MemStallInterval) -> JSONLine {
        var line = JSONLine(type: "memstall_reclaim")
        line.add("time", interval.time.rfc3339)
        line.add("interval_ns", interval.intervalNanoseconds)
        line.add("kswapd_scanned_pages", interval.vmstat.kswapdScanned)
        line.add("kswapd_stolen_pages", interval.vmstat.kswapdStolen)
        line.add("direct_scanned_pages", interval.vmstat.directScanned)
        line.add("direct_stolen_pages", interval.vmstat.directStolen)
        line.add("efficiency_ratio", interval.vmstat.efficiency)
        line.add(
            "nodes",
            reclaim.nodes.map { node in
                var one = JSONLine()
                one.add("node", node.node)
                one.add("kswapd_rounds", node.kswapdRounds)
                one.add("kswapd_work_ns", node.kswapdNanoseconds)
                one.add("kswapd_order", node.order)
                one.add("kcompactd_rounds", node.kcompactdRounds)
                one.add("kcompactd_work_ns", node.kcompactdNanoseconds)
                return one
            })
        line.add(
            "shrinkers",
            reclaim.shrinkers?.map { shrinker in
                var one = JSONLine()
                one.add("function", shrinker.function)
                one.add("calls", shrinker.calls)
                one.add("total_ns", shrinker.totalNanoseconds)
                one.add("longest_ns", shrinker.longestNanoseconds)
                one.add("freed_objects", shrinker.freed)
                return one
            })
        line.add(
            "zones",
            reclaim.zones.map { zone in
                var one = JSONLine()
                one.add("node", zone.node)
                one.add("zone", zone.name)
                one.add("free_pages", zone.free)
                one.add("min_pages", zone.min)
                one.add("low_pages", zone.low)
                one.add("high_pages", zone.high)
                one.add("state", ZoneReport.state(zone)?.rawValue)
                return one
            })
        return line
    }
}
