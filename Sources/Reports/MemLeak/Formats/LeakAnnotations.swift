// SPDX-License-Identifier: Apache-2.0

/// What leaks as annotations of GitHub's workflows: a command a line, which its runner takes from a step's output
/// (docs.github.com, "Workflow commands for GitHub Actions").
public struct LeakAnnotations: Sendable {
    /// Bytes a second: what leaks less is no error.
    public var rate: Double?
    /// Where the sources are checked out: files below it are named from there.
    public var workspace: String?

    /// - Parameter rate: nil: leaks are warnings.
    public init(rate: Double?, workspace: String?) { (self.rate, self.workspace) = (rate, workspace) }

    /// A line for each stack that leaks, in their order.
    public func lines(_ stacks: [MemLeakStack]) -> [String] {
        stacks.filter { $0.trend.verdict == .leaking }.map(line)
    }

    private func line(_ stack: MemLeakStack) -> String {
        let growth = stack.trend.growth?.value ?? 0
        let level = rate.map { growth >= $0 } ?? false ? "error" : "warning"
        let place = place(stack)
        var properties = [
            "title=" + Self.escaped("memory leak in \(place?.name ?? "a stack that was lost")", isValue: true)
        ]
        if let file = place?.file {
            properties.insert("file=" + Self.escaped(relative(file), isValue: true), at: 0)
            if let line = place?.line, line > 0 { properties.insert("line=\(line)", at: 1) }
        }
        var message = [
            "\(MemLeakText.signed(growth)) bytes/s: \(stack.sum.bytes) bytes in \(stack.sum.count) allocations, never freed"
        ]
        message += (stack.frames ?? []).prefix(32).map { frame in
            "  " + frame.name + (frame.file.map { " \(relative($0)):\(frame.line ?? 0)" } ?? "")
        }
        let text = message.map { Self.escaped(Printable.text($0), isValue: false) }.joined(separator: "%0A")
        return "::\(level) \(properties.joined(separator: ","))::\(text)"
    }

    /// The innermost frame in a file of the workspace, else in any file, else with a name.
    private func place(_ stack: MemLeakStack) -> MemLeakFrame? {
        let frames = stack.frames ?? []
        return frames.first { frame in frame.file.map { relative($0) != $0 } ?? false }
            ?? frames.first { $0.file != nil } ?? frames.first { $0.symbol != nil } ?? frames.first
    }

    private func relative(_ file: String) -> String {
        guard let workspace, !workspace.isEmpty else { return file }
        let root = workspace.hasSuffix("/") ? workspace : workspace + "/"
        return file.hasPrefix(root) ? String(file.dropFirst(root.count)) : file
    }

    /// As the runner takes it back (toolkit, packages/core/src/command.ts).
    private static func escaped(_ text: String, isValue: Bool) -> String {
        var escaped = ""
        for character in Printable.text(text) {
            switch character {
            case "%": escaped += "%25"
            case ":" where isValue: escaped += "%3A"
            case "," where isValue: escaped += "%2C"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
