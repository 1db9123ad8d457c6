// SPDX-License-Identifier: Apache-2.0

/// growth's text: a paragraph for each stack, the largest last, as memleak's; then the sums of resident memory.
public struct GrowthText: Sendable {
    /// `-T`: for the title.
    public let top: Int
    /// Processes are named where there may be several.
    public let showsPIDs: Bool

    public init(top: Int, showsPIDs: Bool = false) { (self.top, self.showsPIDs) = (top, showsPIDs) }

    public static func attaching(to target: String) -> String {
        "Counting pages that become resident in \(target), Ctrl+C to quit."
    }

    public func lines(_ report: GrowthReport) -> [String] {
        var lines = ["[\(report.time.clockTime)] Top \(top) stacks that made memory resident:"]
        let frameText = MemLeakText(top: top)
        for stack in report.stacks.reversed() {
            lines.append("\t" + head(stack, report))
            if let words = details(stack, report) { lines.append("\t\t[\(words)]") }
            guard let frames = stack.frames else {
                lines.append("\t\tstack information lost")
                continue
            }
            lines += frames.map { "\t\t" + frameText.text($0) }
            if let words = stack.end?.words { lines.append("\t\t[\(words)]") }
        }
        return lines + [change(report)] + balance(report)
    }

    private func head(_ stack: GrowthStack, _ report: GrowthReport) -> String {
        let resident = stack.resident.map { "\(report.bytes($0)) bytes resident" } ?? "? bytes resident"
        let owner =
            showsPIDs
            ? " of pid \(stack.pid)" + (stack.comm.map { " (\(Printable.text($0)))" } ?? "") : ""
        return "\(resident), \(report.bytes(stack.pages.total)) faulted in \(stack.faults) faults from stack\(owner)"
    }

    /// What is not plain anonymous memory that was there at once.
    private func details(_ stack: GrowthStack, _ report: GrowthReport) -> String? {
        var words: [String] = []
        if stack.huge > 0 { words.append("\(report.bytes(stack.huge)) by huge pages") }
        if stack.pages.file != 0 { words.append("\(report.bytes(stack.pages.file)) of files") }
        if stack.pages.shared != 0 { words.append("\(report.bytes(stack.pages.shared)) shared") }
        if let majors = stack.majors, majors > 0, let wait = stack.waitNanoseconds {
            words.append("\(majors) major, waited \(MemLeakText.number(Double(wait) / 1e6)) ms")
        }
        return words.isEmpty ? nil : words.joined(separator: ", ")
    }

    private func change(_ report: GrowthReport) -> String {
        let sums = report.sums
        let change = report.bytes(sums.change)
        return "resident \(report.bytes(sums.resident)) bytes, \(change < 0 ? "" : "+")\(change) since the start;"
            + " by stacks \(report.bytes(sums.faulted))"
    }

    private func balance(_ report: GrowthReport) -> [String] {
        let sums = report.sums
        let parts: [(Int64, String)] = [
            (sums.elsewhere, "by fork, exec and the kernel"), (-sums.returned, "given back"),
            (-sums.reclaimed, "reclaimed"), (-sums.taken, "taken by others"), (-sums.ended, "gone with its end"),
        ]
        return parts.filter { $0.0 != 0 }.map { pages, words in
            "  \(pages < 0 ? "" : "+")\(report.bytes(pages)) \(words)"
        }
    }
}
