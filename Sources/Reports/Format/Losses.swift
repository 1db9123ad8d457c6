// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords

/// What the programs could not record, by cause, since they were loaded.
public struct Losses: Hashable, Sendable {
    /// One cause: its JSON key and its words.
    public struct Cause: Hashable, Sendable {
        public let key: String
        public let words: String
    }

    /// In the order of enum loss_cause, which ends with the stacks that lack frames.
    public static let causes: [Cause] = general + StackEnd.losses

    private static let general: [Cause] = [
        Cause(key: "ring_full", words: "events lost: the ring buffer was full"),
        Cause(key: "map_full", words: "not tracked: a map was full"),
        Cause(key: "task_state", words: "not tracked: no room for a task's state"),
        Cause(key: "no_stack", words: "stacks not captured"),
        Cause(key: "unreadable", words: "reads of kernel or user memory failed"),
        Cause(key: "no_baseline", words: "first events of a process not counted: its earlier state is unknown"),
        Cause(key: "return_missed", words: "reads whose return was not seen: counted as what they asked for"),
        Cause(key: "name", words: "file names not kept: a map was full"),
        Cause(key: "skipped", words: "events skipped by the kernel: the program was running on the CPU already"),
    ]

    /// By index of `causes`.
    public private(set) var counts: [UInt64]

    public init(counts: [UInt64] = []) {
        self.counts = Array(counts.prefix(Self.causes.count))
        self.counts += Array(repeating: 0, count: Self.causes.count - self.counts.count)
    }

    /// How many slots the kernel side has; `causes` has a row for each.
    public static var kernelCauses: Int { Int(LOSS_CAUSES.rawValue) }

    /// Runs that the kernel skipped, which it counts itself.
    public mutating func addSkipped(_ runs: UInt64) {
        counts[Int(LOSS_SKIPPED.rawValue)] &+= runs
    }

    /// Things that are not tracked, for a map of theirs was full.
    public var mapFull: UInt64 { counts[Int(LOSS_MAP_FULL.rawValue)] }

    /// Those since an earlier reading.
    public func since(_ earlier: Losses) -> Losses {
        Losses(counts: zip(counts, earlier.counts).map { $0 &- $1 })
    }

    public var total: UInt64 { counts.reduce(0, &+) }

    /// One line for each cause that is not zero.
    public var lines: [String] {
        zip(counts, Self.causes).filter { $0.0 > 0 }.map { "\($0) \($1.words)" }
    }

    /// Every cause, zero or not.
    public var json: JSONLine {
        var line = JSONLine()
        for (count, cause) in zip(counts, Self.causes) { line.add(cause.key, count) }
        return line
    }
}
