// SPDX-License-Identifier: Apache-2.0

/// Two runs of the same binaries compared, by what each had outstanding at its end: stacks by their ids, those of all
/// processes together.
public struct LeakDiff: Sendable {
    public enum Change: String, CaseIterable, Sendable {
        case new, grew, shrank, gone
    }

    /// A stack that is not in both with the same bytes and allocations.
    public struct Row: Hashable, Sendable {
        public let change: Change
        public let before: Amount
        public let after: Amount
        /// One of the stacks: the later run's where it is there.
        public let stack: MemLeakStack

        /// Bytes more; below 0: fewer.
        public var bytes: Int64 { Int64(truncatingIfNeeded: after.bytes &- before.bytes) }
        public var count: Int64 { Int64(truncatingIfNeeded: after.count &- before.count) }
    }

    public struct Amount: Hashable, Sendable {
        public var bytes: UInt64 = 0
        public var count: UInt64 = 0

        mutating func add(_ sum: OutstandingSum) {
            bytes &+= sum.bytes
            count &+= sum.count
        }
    }

    public let before: LeakProfile
    public let after: LeakProfile
    /// What has changed most first, whichever way; equal ones by id.
    public let rows: [Row]
    /// How many stacks are the same in both.
    public let same: Int

    public init(before: LeakProfile, after: LeakProfile) {
        (self.before, self.after) = (before, after)
        let (old, new) = (Self.sums(before), Self.sums(after))
        var rows: [Row] = []
        for id in Set(old.keys).union(new.keys) {
            guard let stack = new[id]?.stack ?? old[id]?.stack else { continue }
            let (a, b) = (old[id]?.amount, new[id]?.amount)
            guard a != b else { continue }
            let change: Change =
                if a == nil { .new } else if b == nil { .gone } else { Self.isMore(b, than: a) ? .grew : .shrank }
            rows.append(Row(change: change, before: a ?? Amount(), after: b ?? Amount(), stack: stack))
        }
        same = Set(old.keys).union(new.keys).count - rows.count
        self.rows = rows.sorted { first, second in
            let (a, b) = (first.bytes.magnitude, second.bytes.magnitude)
            if a != b { return a > b }
            let (c, d) = (first.count.magnitude, second.count.magnitude)
            return c == d ? first.stack.id.value < second.stack.id.value : c > d
        }
    }

    private static func isMore(_ after: Amount?, than before: Amount?) -> Bool {
        (after?.bytes ?? 0, after?.count ?? 0) > (before?.bytes ?? 0, before?.count ?? 0)
    }

    private static func sums(_ profile: LeakProfile) -> [StackID: (amount: Amount, stack: MemLeakStack)] {
        var sums: [StackID: (amount: Amount, stack: MemLeakStack)] = [:]
        for stack in profile.stacks {
            var sum = sums[stack.id] ?? (Amount(), stack)
            sum.amount.add(stack.sum)
            sums[stack.id] = sum
        }
        return sums
    }

    /// How many rows there are of a change.
    public func count(_ change: Change) -> Int { rows.count { $0.change == change } }

    // MARK: renderings

    /// As lines, what has changed most last.
    ///
    /// - Parameter top: rows to show.
    public func lines(top: Int) -> [String] {
        let text = MemLeakText(top: top)
        var lines = [("before", before), ("after", after)].map { (word, profile) -> String in
            let line =
                "\(word.left(7))\(profile.time.rfc3339.prefix(19))Z \(profile.bytes) bytes in "
                + "\(profile.count) allocations of \(Printable.text(profile.target))"
            return line.count < 80 ? line : line.prefix(78) + "…"
        }
        for row in rows.prefix(top).reversed() {
            lines.append(
                "\t\(Self.signed(row.bytes)) bytes, \(Self.signed(row.count)) allocations from stack"
                    + (row.stack.kernel?.text ?? ""))
            lines.append("\t\t[\(row.change.rawValue): \(row.before.bytes) -> \(row.after.bytes) bytes]")
            guard let frames = row.stack.frames else {
                lines.append("\t\tstack information lost")
                continue
            }
            lines += frames.map { "\t\t" + text.text($0) }
            if let words = row.stack.end?.words { lines.append("\t\t[\(words)]") }
        }
        if rows.count > top { lines.append("\(rows.count - top) more stacks that differ (-T)") }
        let counts = Change.allCases.map { "\(count($0)) \($0.rawValue)" }.joined(separator: ", ")
        lines.append("stacks: \(counts), \(same) the same")
        return lines
    }

    /// An object a row, then the summary.
    public func json(top: Int) -> [JSONLine] { rows.prefix(top).map(Self.line) + [summary] }

    private static func line(_ row: Row) -> JSONLine {
        var line = JSONLine(type: "memleak_diff")
        line.add("id", row.stack.id.text)
        line.add("change", row.change.rawValue)
        line.add("bytes_before", row.before.bytes)
        line.add("bytes_after", row.after.bytes)
        line.add("bytes_change", row.bytes)
        line.add("count_before", row.before.count)
        line.add("count_after", row.after.count)
        line.add("count_change", row.count)
        line.add("comm", row.stack.comm)
        line.add("cache", row.stack.kernel?.cache)
        line.add("frames", row.stack.frames.map { $0.map(MemLeakJSON.object) })
        return line
    }

    private var summary: JSONLine {
        var line = JSONLine(type: "memleak_diff_summary")
        line.add("time_before", before.time.rfc3339)
        line.add("time_after", after.time.rfc3339)
        line.add("bytes_before", before.bytes)
        line.add("bytes_after", after.bytes)
        line.add("count_before", before.count)
        line.add("count_after", after.count)
        line.add("watched_before_ns", before.watched)
        line.add("watched_after_ns", after.watched)
        for change in Change.allCases { line.add("\(change.rawValue)_stacks", count(change)) }
        line.add("same_stacks", same)
        return line
    }

    private static func signed(_ number: Int64) -> String { (number > 0 ? "+" : "") + "\(number)" }
}
