// SPDX-License-Identifier: Apache-2.0
internal import Probes
internal import Reports

/// What doctor found of one mode of a tool.
struct DoctorFinding {
    let tool: String
    /// nil: the tool has one only.
    let mode: String?
    /// Why it does not work; nil: it does.
    let failure: String?
    /// What it does less well for want of a capability.
    let wanting: [String]
    let choices: [Choice]

    var name: String { tool + (mode.map { " (\($0))" } ?? "") }

    /// What is not seen here, for no rung of a ladder can be used.
    var lacking: [String] { choices.compactMap { $0.rung == nil ? $0.ladder.without : nil } }
}

/// doctor's words: the verdict first, then what there is to know.
struct DoctorText {
    /// On a terminal a word's colour says what it means too.
    let isColoured: Bool
    private static let width = 80

    /// The first line: does it work?
    static func verdict(_ findings: [DoctorFinding]) -> String {
        let names = uniqued(findings.map(\.tool))
        let failed = findings.filter { $0.failure != nil }
        guard !failed.isEmpty else {
            return names.count == 1
                ? "\(names[0]) works on this kernel." : "All \(names.count) tools work on this kernel."
        }
        // a tool that fails in one mode works in others
        let whole = names.filter { name in findings.allSatisfy { $0.tool != name || $0.failure != nil } }
        if whole.count == names.count {
            return names.count == 1 ? "\(names[0]) does not work on this kernel." : "No tool works on this kernel."
        }
        let parts = failed.filter { !whole.contains($0.tool) }.map(\.name)
        let not = whole + parts
        return "\(names.count - whole.count) of \(names.count) tools work on this kernel;"
            + " not \(not.joined(separator: ", "))."
    }

    /// A line a mode, and one for each thing that it does not see here.
    func brief(_ findings: [DoctorFinding]) -> [String] {
        let column = (findings.map(\.name.count).max() ?? 0) + 2
        return findings.flatMap { finding in
            let name = finding.name.left(column)
            if let failure = finding.failure {
                // the line has said of which tool, and the verdict where
                var reason = failure[...]
                if reason.hasPrefix(finding.tool + " ") { reason = reason.dropFirst(finding.tool.count + 1) }
                if reason.hasSuffix(" on this kernel") { reason = reason.dropLast(" on this kernel".count) }
                return [name + red("DOES NOT WORK") + Self.cut(": " + reason, Self.width - column - 13)]
            }
            let less = (finding.lacking + finding.wanting).map { yellow(Self.cut("    " + $0, Self.width)) }
            return [name + green("works") + (less.isEmpty ? "" : ", but")] + less
        }
    }

    /// Each ladder of a mode, with its choice and why not another.
    func whole(_ finding: DoctorFinding) -> [String] {
        var lines = [
            "",
            "\(finding.name.left(12))  " + (finding.failure.map { red("DOES NOT WORK") + ": \($0)" } ?? green("works")),
        ]
        for choice in finding.choices {
            let rung = choice.rung.map { "\($0.id) (\($0.mechanism.rawValue); kernels: \($0.kernels))" } ?? "none"
            lines.append("  \(choice.ladder.id.left(12)) \(rung)")
            for passed in choice.passedOver { lines.append("               not \(passed.rung): \(passed.reason)") }
            if let rung = choice.rung, !rung.cannotSee.isEmpty {
                lines.append("               does not see \(rung.cannotSee)")
            }
            if choice.rung == nil, let without = choice.ladder.without { lines.append("               so \(without)") }
        }
        return lines + finding.wanting.map { "  " + $0 }
    }

    func green(_ text: String) -> String { coloured(text, 32) }
    func yellow(_ text: String) -> String { coloured(text, 33) }
    func red(_ text: String) -> String { coloured(text, 31) }

    private func coloured(_ text: String, _ colour: Int) -> String {
        isColoured ? "\u{1b}[\(colour)m\(text)\u{1b}[0m" : text
    }

    /// Its beginning, if it is too long.
    private static func cut(_ text: String, _ width: Int) -> String {
        text.count <= width ? text : text.prefix(max(0, width - 3)) + "..."
    }

    private static func uniqued(_ names: [String]) -> [String] {
        names.reduce(into: []) { found, name in if !found.contains(name) { found.append(name) } }
    }
}
