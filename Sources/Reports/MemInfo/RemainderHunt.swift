// SPDX-License-Identifier: Apache-2.0

/// Pages that were taken through one stack since the run began and are not free yet.
public struct PageStack: Hashable, Sendable {
    public var bytes: UInt64
    /// How many times.
    public var count: UInt64
    /// The kernel's functions, innermost first; empty: the stack was lost, or names are hidden.
    public var functions: [String]

    public init(bytes: UInt64, count: UInt64, functions: [String]) {
        (self.bytes, self.count, self.functions) = (bytes, count, functions)
    }
}

/// Pages that no row of the ledger has, by stack, beside what the remainder grew by meanwhile.
public struct RemainderHunt: Sendable {
    public let time: WallTime
    /// How long.
    public let seconds: Double
    /// By how much the remainder grew.
    public let growthBytes: Int64
    /// By how much that may be off.
    public let errorBytes: UInt64
    /// Those that no row has, what holds most first.
    public let stacks: [PageStack]
    public let losses: Losses

    /// - Parameters:
    ///   - report: not the first of a run.
    ///   - taken: what was taken since the first ledger and is not free yet, by stack.
    /// - Returns: nil in the first report.
    public init?(_ report: MemInfoReport, taken: [PageStack], losses: Losses) {
        guard let growth = report.unaccountedGrowth, let first = report.first else { return nil }
        time = report.ledger.time
        seconds = Double(report.ledger.monotonic - min(first.monotonic, report.ledger.monotonic)) / 1e9
        growthBytes = growth
        errorBytes = max(report.ledger.errorBytes, first.errorBytes)
        self.losses = losses
        // a row that is not known owns nothing: its pages are in the remainder
        let unowned = taken.filter { stack in
            switch PageOwner(functions: stack.functions) {
            case .counted: false
            case .row(let part): report.ledger[part] == nil
            case .none: true
            }
        }
        var merged: [[String]: PageStack] = [:]
        for stack in unowned {
            let functions = Array(stack.functions.drop { PageOwner.isAllocator($0) }.map(PageOwner.plain))
            merged[functions, default: PageStack(bytes: 0, count: 0, functions: functions)].bytes += stack.bytes
            merged[functions]?.count += stack.count
        }
        stacks = merged.values.sorted { ($0.bytes, $1.functions.first ?? "") > ($1.bytes, $0.functions.first ?? "") }
    }

    /// What the stacks took.
    public var explainedBytes: UInt64 { stacks.reduce(0) { $0.addingCapped($1.bytes) } }

    /// Has the remainder grown by more than counters may be off?
    private var hasGrown: Bool { growthBytes > Int64(clamping: errorBytes) }

    /// - Parameter count: stacks to show.
    public func lines(count: Int) -> [String] {
        let took = megabytes(Int64(clamping: explainedBytes))
        var lines: [String] = []
        if hasGrown {
            let share = fixed(100 * Double(explainedBytes) / Double(growthBytes), 0)
            lines += wrapped(
                "in \(fixed(seconds, 0)) s unaccounted grew by \(megabytes(growthBytes)) MB: pages that no row has, "
                    + "taken and not freed, explain \(share) %")
        } else {
            lines += wrapped(
                "in \(fixed(seconds, 0)) s unaccounted did not grow by more than counters may be off; "
                    + "pages that no row has, taken and not freed: \(took) MB")
        }
        let shown = stacks.prefix(count).filter { $0.bytes >= 1 << 16 }
        guard !shown.isEmpty else { return lines }
        var heading = TableLine()
        heading.right(["PAGES_MB", "TIMES"], 9)
        heading.add("TAKEN BY")
        lines.append(heading.text)
        for stack in shown {
            var line = TableLine()
            line.right([fixed(Double(stack.bytes) / 1_048_576, 1), "\(stack.count)"], 9)
            line.add(Self.path(stack.functions))
            lines.append(line.text)
        }
        return lines
    }

    /// As many functions as fit.
    private static func path(_ functions: [String]) -> String {
        guard let first = functions.first else { return "(no names)" }
        var text = Printable.text(first)
        for function in functions.dropFirst() {
            let longer = text + " < " + Printable.text(function)
            guard longer.count <= 55 else { return text + " < …" }
            text = longer
        }
        return text
    }

    private func megabytes(_ bytes: Int64) -> String { fixed(Double(bytes) / 1_048_576, 1) }

    /// A record with the stacks that took most.
    public func json(count: Int) -> JSONLine {
        var line = JSONLine(type: "meminfo_unaccounted")
        line.add("time", time.rfc3339)
        line.add("seconds", seconds)
        line.add("growth_bytes", growthBytes)
        line.add("growth_error_bytes", errorBytes)
        line.add("explained_bytes", explainedBytes)
        line.add(
            "stacks",
            stacks.prefix(count).map { stack in
                var entry = JSONLine()
                entry.add("bytes", stack.bytes)
                entry.add("allocations", stack.count)
                entry.add("functions", stack.functions)
                return entry
            })
        line.add("losses", losses.json)
        return line
    }
}
