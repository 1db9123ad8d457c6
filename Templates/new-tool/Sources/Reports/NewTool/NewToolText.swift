// SPDX-License-Identifier: Apache-2.0

/// newtool's text: a heading, then a line for each process of an interval.
public struct NewToolText: Sendable {
    public var timestamps: Bool

    public init(timestamps: Bool = false) { self.timestamps = timestamps }

    public var header: String {
        var line = TableLine()
        if timestamps { line.left("TIME", 8) }
        line.left("COMM", 16)
        line.left("PID", 7)
        line.right(["TASKS", "THREADS"], 8)
        return line.text
    }

    /// An interval in which nothing was started has no lines. `?` is what can't be told.
    public func lines(_ interval: NewToolInterval) -> [String] {
        interval.rows.map { row in
            var line = TableLine()
            if timestamps { line.left(interval.time.clockTime, 8) }
            line.left(Printable.text(row.comm), 16)
            line.left(String(row.pid), 7)
            line.right(String(row.tasks), 8)
            line.right(row.threads.map(String.init) ?? "?", 8)
            return line.text
        }
    }
}
