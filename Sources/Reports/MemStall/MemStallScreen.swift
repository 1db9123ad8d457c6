// SPDX-License-Identifier: Apache-2.0

/// memstall's full screen as lines, for any size: a bar by cause, what it means, and the longest rows.
public struct MemStallScreen: Sendable {
    public private(set) var grouping: MemStallRow.Grouping
    public private(set) var isPaused = false
    private var showsHelp = false
    /// The interval on the screen, with a row a task; nil: the first one is not over.
    private var shown: MemStallInterval?

    public init(grouping: MemStallRow.Grouping) { self.grouping = grouping }

    /// An interval is over.
    public mutating func take(_ interval: MemStallInterval) {
        if !isPaused { shown = interval }
    }

    /// Does what a key is for.
    ///
    /// - Returns: false: the run is to end.
    public mutating func press(_ key: TerminalKey) -> Bool {
        if showsHelp {
            showsHelp = false
            return true
        }
        switch key {
        case .text("q"): return false
        case .text("t"): grouping = .task
        case .text("p"): grouping = .process
        case .text("c"): grouping = .cgroup
        case .text("s"): grouping = .cause
        case .text(" "): isPaused.toggle()
        case .text("?"), .text("h"): showsHelp = true
        default: break
        }
        return true
    }

    /// At most `height` lines of at most `width` cells.
    public func lines(width: Int, height: Int) -> [CacheTopScreen.Line] {
        guard width > 0, height > 0 else { return [] }
        var lines: [CacheTopScreen.Line] = []
        func add(_ text: String, heading: Bool = false) {
            lines.append(CacheTopScreen.Line(text: CacheTopScreen.clipped(text, width), isHeading: heading))
        }
        if showsHelp {
            for text in Self.help { add(text) }
            return Array(lines.prefix(height))
        }
        guard let shown else {
            add("memstall: the first interval is not over yet")
            return lines
        }
        let text = MemStallText(wide: width >= 132, grouping: grouping)
        add(text.pressure(shown) + (isPaused ? " / Paused" : ""))
        for bar in bars(shown, width: width) { add(bar) }
        for hint in shown.hints {
            for part in wrapped(hint.text, first: "=> ", indent: "   ") { add(part) }
        }
        for loss in shown.losses.lines { add("lost: " + loss) }
        add(text.header, heading: true)
        let rows = MemStallRow.grouped(shown.rows, by: grouping)
        for row in rows.prefix(max(0, height - lines.count)) { add(text.line(row)) }
        for more in text.groups(shown) + text.culprits(shown) { add(more) }
        return Array(lines.prefix(height))
    }

    /// A line a cause that tasks waited for, longest first: its seconds, and its part of all of them.
    private func bars(_ interval: MemStallInterval, width: Int) -> [String] {
        let causes = MemStallRow.grouped(interval.rows, by: .cause).filter(\.cause.isWait)
        let total = Double(causes.reduce(0) { $0 &+ $1.counters.stalledNanoseconds })
        guard total > 0 else { return ["nobody waits for memory"] }
        return causes.prefix(6).map { row in
            let share = Double(row.counters.stalledNanoseconds) / total
            var line = TableLine()
            line.left(row.cause.name, 14)
            line.right(fixed(Double(row.counters.stalledNanoseconds) / 1e9, 3) + " s", 10)
            line.right(fixed(share * 100, 0) + " %", 6)
            let room = max(0, width - line.text.count - 1)
            line.add(String(repeating: "█", count: Int((share * Double(room)).rounded())))
            return line.text
        }
    }

    static let help = [
        "memstall: who waits for memory, and why", "",
        "  t p c s    a row for each task, process, cgroup, cause", "  space      pause, go on", "  q          quit",
        "",
        "The bars     seconds of tasks by cause",
        "PSI          the kernel's own figures, of CPUs weighed by their work",
        "=>           what it means, and what to look at next", "", "Any key goes back.",
    ]
}
