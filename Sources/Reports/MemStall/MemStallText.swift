// SPDX-License-Identifier: Apache-2.0

/// memstall's text: a heading, a line for each row of an interval, then what PSI says and what it means.
public struct MemStallText: Hashable, Sendable {
    public var timestamps: Bool
    /// Also the time off the CPU, pages, and paths as long as they are.
    public var wide: Bool
    public var grouping: MemStallRow.Grouping

    public init(timestamps: Bool = false, wide: Bool = false, grouping: MemStallRow.Grouping = .task) {
        (self.timestamps, self.wide, self.grouping) = (timestamps, wide, grouping)
    }

    /// Columns of a path in a table that keeps within 80.
    static let pathWidth = 15

    public var header: String {
        var line = TableLine()
        line.left("CAUSE", 14)
        if grouping == .task || grouping == .process {
            line.left("COMM", 15)
            line.left(grouping == .task ? "TID" : "PID", 7)
        }
        line.right("COUNT", 6)
        line.right(["STALL_MS", "MAX_MS"], 8)
        if wide { line.right(["OFF_MS", "RECLAIMED"], 9) }
        switch grouping {
        case .task, .process:
            if wide { line.left("CGROUP", 24) }
            line.add("LIMIT")
        case .cgroup:
            line.left("CGROUP", Self.pathWidth)
            line.add("LIMIT")
        case .cause: break
        }
        return line.text
    }

    public func lines(_ interval: MemStallInterval) -> [String] {
        var lines = timestamps ? [interval.time.clockTime] : []
        lines.append(header)
        lines += interval.rows.flatMap { [line($0)] + stacks(of: $0) }
        if let histograms = interval.histograms {
            for cause in MemStallCause.allCases {
                guard let bars = histograms[cause]?.lines(unit: "stall_us"), !bars.isEmpty else { continue }
                lines += ["", cause.name] + bars
            }
        }
        lines.append(pressure(interval))
        lines += groups(interval) + culprits(interval) + evictions(interval) + reclaim(interval)
        lines += interval.reclaim?.lines() ?? []
        lines += interval.hints.flatMap { wrapped($0.text, first: "=> ", indent: "   ") }
        return lines + [""]
    }

    func line(_ row: MemStallRow) -> String {
        var line = TableLine()
        line.left(row.cause.name, 14)
        if grouping == .task || grouping == .process {
            line.left(String(Printable.text(row.comm ?? "-").prefix(15)), 15)
            line.left((grouping == .task ? row.tid : row.pid).map(String.init) ?? "-", 7)
        }
        line.right(String(row.counters.count), 6)
        line.right(milliseconds(row.counters.stalledNanoseconds), 8)
        line.right(milliseconds(row.counters.longestNanoseconds), 8)
        if wide {
            line.right(milliseconds(row.counters.offCPUNanoseconds), 9)
            line.right(String(row.counters.reclaimedPages), 9)
        }
        switch grouping {
        case .task, .process:
            if wide { line.left(path(row.cgroup), 24) }
            line.add(path(row.limitCgroup))
        case .cgroup:
            line.left(path(row.cgroup), Self.pathWidth)
            line.add(path(row.limitCgroup))
        case .cause: break
        }
        return line.text
    }

    /// A path's end, which tells cgroups apart, where there is no room for all of it.
    func path(_ path: CgroupPath?, within width: Int = Self.pathWidth) -> String {
        guard let path else { return "-" }
        let text = Printable.text(path.path)
        guard !wide, text.count > width else { return text }
        return "…" + text.suffix(width - 1)
    }

    func milliseconds(_ nanoseconds: UInt64) -> String { fixed(Double(nanoseconds) / 1e6, 1) }

    func pressure(_ interval: MemStallInterval) -> String {
        func seconds(_ nanoseconds: UInt64) -> String { fixed(Double(nanoseconds) / 1e9, 3) + " s" }
        guard let pressure = interval.pressure else { return "PSI: this kernel keeps none" }
        var text = "PSI: some \(seconds(pressure.some)), full \(seconds(pressure.full)) of "
        text += seconds(interval.intervalNanoseconds)
        if let ratio = interval.explainedRatio {
            text += "; explained \(fixed(ratio * 100, 0)) %"
            if let missing = interval.unexplainedNanoseconds, ratio < 0.98 { text += ", not \(seconds(missing))" }
        }
        return text
    }

    /// Each cgroup's tasks beside its own PSI; a run without `--wide` shows those where something is to be seen.
    func groups(_ interval: MemStallInterval) -> [String] {
        let shown = interval.groups.prefix { wide || $0.stalledNanoseconds >= 10_000_000 }
        guard !shown.isEmpty else { return [] }
        guard interval.hasGroupPressure else { return ["PSI by cgroup: none; cgroup v2 alone has it"] }
        var head = TableLine()
        head.right(["STALL_MS", "PSI_SOME", "PSI_FULL", "EXPLAINED", "NOT_MS"], 9)
        head.add("CGROUP")
        return [head.text]
            + shown.map { group in
                var line = TableLine()
                line.right(milliseconds(group.stalledNanoseconds), 9)
                line.right(group.pressure.map { milliseconds($0.some) } ?? "-", 9)
                line.right(group.pressure.map { milliseconds($0.full) } ?? "-", 9)
                line.right(group.explainedRatio.map { fixed($0 * 100, 0) + " %" } ?? "-", 9)
                line.right(group.unexplainedNanoseconds.map(milliseconds) ?? "-", 9)
                line.add(path(group.cgroup, within: 28))
                return line.text
            }
    }

    /// Who allocates at a limit, where it is not the limit's own cgroup alone.
    func culprits(_ interval: MemStallInterval) -> [String] {
        let shown = interval.culprits.filter { culprit in
            wide || culprit.limit.cgroup == nil || culprit.cgroup != culprit.limit.cgroup
        }
        guard !shown.isEmpty else { return [] }
        var head = TableLine()
        head.left("WHO ALLOCATES", 20)
        head.right("TASKS", 5)
        head.right(["STALL_MS", "FREED", "SHARE", "GREW_MB"], 8)
        head.add("LIMIT")
        return [head.text]
            + shown.map { culprit in
                var line = TableLine()
                line.left(path(culprit.cgroup, within: 20), 20)
                line.right(String(culprit.tasks), 5)
                line.right(milliseconds(culprit.stalledNanoseconds), 8)
                line.right(String(culprit.reclaimedPages), 8)
                line.right(culprit.reclaimedShare.map { fixed($0 * 100, 0) + " %" } ?? "-", 8)
                line.right(culprit.grownBytes.map { fixed(Double($0) / 1_048_576, 1) } ?? "-", 8)
                line.add(culprit.limit.cgroup.map { path($0) } ?? "the machine")
                return line.text
            }
    }

    /// Who reclaimed for the machine as a whole, and how much of what was looked at could be freed: `sar -B`'s %vmeff.
    private func reclaim(_ interval: MemStallInterval) -> [String] {
        let sides: [(name: String, scanned: UInt64?, stolen: UInt64?)] = [
            ("kswapd", interval.vmstat.kswapdScanned, interval.vmstat.kswapdStolen),
            ("direct", interval.vmstat.directScanned, interval.vmstat.directStolen),
        ]
        let texts = sides.compactMap { side -> String? in
            guard let scanned = side.scanned, let stolen = side.stolen, scanned > 0 else { return nil }
            return "\(side.name) \(stolen) of \(scanned) pages (\(fixed(Double(stolen) / Double(scanned) * 100, 0)) %)"
        }
        return texts.isEmpty ? [] : ["reclaimed: " + texts.joined(separator: ", ")]
    }
}
