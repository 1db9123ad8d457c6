// SPDX-License-Identifier: Apache-2.0

/// meminfo's text: a tree, a line a part that is not 0, what no counter owns, and what that means.
public struct MemInfoText: Sendable {
    /// Parts of parts too, by name.
    public var details: Bool

    public init(details: Bool = true) { self.details = details }

    public func lines(_ report: MemInfoReport) -> [String] {
        let ledger = report.ledger
        var lines = [heading(report)]
        for part in MemoryPart.allCases where part.parent == nil { lines += branch(part, report) }
        lines.append(
            row("unaccounted", ledger.unaccountedBytes, of: ledger.totalBytes, change: report.unaccountedChange)
                + "  +-" + megabytes(Int64(ledger.errorBytes)))
        lines += wrapped(verdict(report))
        lines += notes(ledger)
        return lines
    }

    private func heading(_ report: MemInfoReport) -> String {
        var line = TableLine()
        line.left("MB of \(megabytes(Int64(report.ledger.totalBytes)))", Self.nameWidth)
        line.right("MB", 10)
        line.right("SHARE", 7)
        if report.before != nil { line.right("CHANGE", 10) }
        return line.text
    }

    private static let nameWidth = 38

    /// A part with its parts below it; none where all are 0.
    private func branch(_ part: MemoryPart, _ report: MemInfoReport, depth: Int = 0) -> [String] {
        let change = report.change(part)
        guard let bytes = report.ledger[part], bytes > 0 || (change ?? 0) != 0 else { return [] }
        let indent = String(repeating: "  ", count: depth)
        var lines = [row(indent + part.label, Int64(bytes), of: report.ledger.totalBytes, change: change)]
        if details {
            for detail in report.ledger.details where detail.part == part && detail.bytes >= 1 << 20 {
                var line = TableLine()
                line.left(cut(indent + "    " + Printable.text(detail.name), Self.nameWidth - 2), Self.nameWidth)
                line.right("(" + megabytes(Int64(clamping: detail.bytes)) + ")", 10)
                lines.append(line.text)
            }
        }
        for child in MemoryPart.allCases where child.parent == part { lines += branch(child, report, depth: depth + 1) }
        return lines
    }

    private func row(_ name: String, _ bytes: Int64, of total: UInt64, change: Int64?) -> String {
        var line = TableLine()
        line.left(name, Self.nameWidth)
        line.right(megabytes(bytes), 10)
        line.right(fixed(100 * Double(bytes) / Double(total), 1) + "%", 7)
        if let change { line.right((change > 0 ? "+" : "") + megabytes(change), 10) }
        return line.text
    }

    private func megabytes(_ bytes: Int64) -> String { fixed(Double(bytes) / 1_048_576, 1) }

    /// What the remainder means, in words.
    private func verdict(_ report: MemInfoReport) -> String {
        let ledger = report.ledger
        let size =
            ledger.isWithinError
            ? "unaccounted: no more than what counters may be off by"
            : "unaccounted: memory that no counter of the kernel's owns"
        guard let rate = report.unaccountedBytesPerSecond else { return size }
        guard report.remainderMoves else { return size + "; steady" }
        let perHour = rate * 3600 / 1_048_576
        return size + "; " + (rate > 0 ? "growing" : "shrinking") + " by \(fixed(abs(perHour), 0)) MB/h"
    }

    private func notes(_ ledger: MemoryLedger) -> [String] {
        var lines: [String] = []
        let unknown = MemoryPart.leaves.filter { ledger[$0] == nil }.map(\.label)
        if !unknown.isEmpty { lines += wrapped("not known: " + unknown.joined(separator: "; ")) }
        if !ledger.absurdCounters.isEmpty {
            let names = ledger.absurdCounters.map(Printable.text).joined(separator: ", ")
            lines += wrapped("not used, for it is more than the memory there is: " + names)
        }
        return lines
    }
}

/// A text cut to a width, `…` at its end.
private func cut(_ text: String, _ width: Int) -> String {
    text.count <= width ? text : text.prefix(width - 1) + "…"
}
