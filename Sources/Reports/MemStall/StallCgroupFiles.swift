// SPDX-License-Identifier: Apache-2.0

/// What a memory cgroup's files say at a moment, with those below it; nil where the kernel does not say it.
public struct StallCgroupFiles: Hashable, Sendable {
    /// memory.pressure: cgroup v2's alone.
    public var pressure: MemoryPressure?
    /// memory.current, v1's memory.usage_in_bytes.
    public var usageBytes: UInt64?
    /// memory.max, v1's memory.limit_in_bytes; nil: no limit.
    public var maxBytes: UInt64?
    /// memory.high; nil: no limit, or v1, which has none.
    public var highBytes: UInt64?
    /// Tasks that the OOM killer ended: memory.events, v1's memory.oom_control.
    public var oomKills: UInt64?
    /// Pages read again a short while after they were evicted: memory.stat; of those with a limit alone.
    public var refaultedPages: UInt64?

    public init() {}

    /// What a cgroup has that has just been made.
    public static var begun: StallCgroupFiles {
        var memory = StallCgroupFiles()
        memory.pressure = MemoryPressure(some: 0, full: 0)
        (memory.usageBytes, memory.oomKills, memory.refaultedPages) = (0, 0, 0)
        return memory
    }

    /// - Parameter read: gives a file of the cgroup's directory by its name; nil where there is none.
    public init(isUnified: Bool, read: (String) -> String?) {
        func number(_ text: String?) -> UInt64? {
            text.flatMap { UInt64($0.split(whereSeparator: \.isWhitespace).first ?? "") }
        }
        if isUnified {
            pressure = read("memory.pressure").flatMap { MemoryPressure($0) }
            usageBytes = number(read("memory.current"))
            maxBytes = number(read("memory.max"))
            highBytes = number(read("memory.high"))
            oomKills = read("memory.events").flatMap { Self.counter("oom_kill", in: $0) }
        } else {
            usageBytes = number(read("memory.usage_in_bytes"))
            maxBytes = number(read("memory.limit_in_bytes")).flatMap { $0 >= Self.unlimited ? nil : $0 }
            oomKills = read("memory.oom_control").flatMap { Self.counter("oom_kill", in: $0) }
        }
        guard maxBytes != nil || highBytes != nil, let stat = read("memory.stat") else { return }
        let counters = ["anon", "file"].compactMap {
            Self.counter((isUnified ? "" : "total_") + "workingset_refault_" + $0, in: stat)
        }
        refaultedPages = counters.isEmpty ? nil : counters.reduce(0, &+)
    }

    /// v1 says no limit by the largest number of pages.
    private static let unlimited: UInt64 = 1 << 62

    static func counter(_ name: String, in text: String) -> UInt64? {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == name { return UInt64(words[1]) }
        }
        return nil
    }
}
