// SPDX-License-Identifier: Apache-2.0

/// The stacks that stalls began with, and what these come to: a part of a row.
public struct MemStallStack: Hashable, Sendable {
    /// The kernel's, innermost first; nil: it was lost.
    public var kernel: [MemLeakFrame]?
    /// The task's own, innermost first; nil: it was lost, or the task is the kernel's and has none.
    public var user: [MemLeakFrame]?
    /// Where the walk of the task's own ended; nil: by frame pointers, which don't say.
    public var end: StackEnd?
    public var counters: MemStallCounters

    public init(
        kernel: [MemLeakFrame]?, user: [MemLeakFrame]?, end: StackEnd? = nil, counters: MemStallCounters
    ) {
        (self.kernel, self.user, self.end, self.counters) = (kernel, user, end, counters)
    }

    /// One for each way that functions call one another, longest first; of several, the frames of the longest.
    public static func merged(_ stacks: [MemStallStack]) -> [MemStallStack] {
        struct Key: Hashable {
            let kernel: StackID
            let user: StackID
        }
        var groups: [Key: MemStallStack] = [:]
        for stack in stacks.sorted(by: isLonger) {
            let key = Key(
                kernel: StackID(stack.kernel, by: .function), user: StackID(stack.user, by: .function))
            groups[key]?.counters.take(stack.counters)
            if groups[key] == nil { groups[key] = stack }
        }
        return groups.values.sorted(by: isLonger)
    }

    /// Those of one length in an order that stays.
    private static func isLonger(_ a: MemStallStack, _ b: MemStallStack) -> Bool {
        let (ours, theirs) = (a.counters, b.counters)
        if ours.stalledNanoseconds != theirs.stalledNanoseconds {
            return ours.stalledNanoseconds > theirs.stalledNanoseconds
        }
        if ours.count != theirs.count { return ours.count > theirs.count }
        return (a.user?.first?.address ?? 0, a.kernel?.first?.address ?? 0)
            < (b.user?.first?.address ?? 0, b.kernel?.first?.address ?? 0)
    }
}

extension MemStallText {
    /// Stacks of a row that a table has room for; JSON has all.
    static let mostStacks = 3

    /// Below a row: its longest stacks, the kernel's part and the task's own part of each.
    func stacks(of row: MemStallRow) -> [String] {
        guard let stacks = row.stacks else { return [] }
        let frameText = MemLeakText(top: Self.mostStacks, showsAddresses: false)
        var lines: [String] = []
        for stack in stacks.prefix(Self.mostStacks) {
            lines.append("    \(milliseconds(stack.counters.stalledNanoseconds)) ms, \(stack.counters.count) stalls:")
            let frames = (stack.kernel ?? []) + (stack.user ?? [])
            lines += frames.map { "      " + frameText.text($0) }
            if stack.kernel == nil { lines.append("      [the kernel's part was lost]") }
            if let words = stack.end?.words { lines.append("      [\(words)]") }
        }
        let rest = stacks.dropFirst(Self.mostStacks)
        if !rest.isEmpty {
            let nanoseconds = rest.reduce(0) { $0 &+ $1.counters.stalledNanoseconds }
            lines.append("    \(milliseconds(nanoseconds)) ms in \(rest.count) other stacks")
        }
        return lines
    }
}
