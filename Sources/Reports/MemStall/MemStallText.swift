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
        lines += interval.rows.map(line)
        if let histograms = interval.histograms {
            for cause in MemStallCause.allCases {
                guard let bars = histograms[cause]?.lines(unit: "stall_us"), !bars.isEmpty else { continue }
                lines += ["", cause.name] + bars
            }
        }
        lines.append(pressure(interval))
        lines += reclaim(interval)
        lines += MemStallHint.hints(interval).flatMap { wrapped($0.text, first: "=> ", indent: "   ") }
        return lines + [""]
    }

    private func line(_ row: MemStallRow) -> String {
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
    private func path(_ path: CgroupPath?) -> String {
        guard let path else { return "-" }
        let text = Printable.text(path.path)
        guard !wide, text.count > Self.pathWidth else { return text }
        return "…" + text.suffix(Self.pathWidth - 1)
    }

    private func milliseconds(_ nanoseconds: UInt64) -> String { fixed(Double(nanoseconds) / 1e6, 1) }

    private func pressure(_ interval: MemStallInterval) -> String {
        func seconds(_ nanoseconds: UInt64) -> String { fixed(Double(nanoseconds) / 1e9, 3) + " s" }
        guard let pressure = interval.pressure else { return "PSI: this kernel keeps none" }
        var text = "PSI: some \(seconds(pressure.some)), full \(seconds(pressure.full)) of "
        text += seconds(interval.intervalNanoseconds)
        if let ratio = interval.explainedRatio { text += "; explained \(fixed(ratio * 100, 0)) %" }
        return text
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
