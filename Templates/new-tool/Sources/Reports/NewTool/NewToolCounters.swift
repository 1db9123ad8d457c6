// SPDX-License-Identifier: Apache-2.0
package import TraceRecords

/// A process that newtool's programs count for: no later one of the same id, which starts later.
public struct NewToolProcess: Hashable, Sendable {
    public let pid: UInt32
    /// When it started, nanoseconds since boot.
    public let start: UInt64

    package init(_ key: newtool_key) {
        pid = key.pid
        start = key.start_ns
    }

    /// Its key in the programs' map.
    package var key: newtool_key { newtool_key(start_ns: start, pid: pid, padding: 0) }
}

/// What a process has started since it was first seen, summed over the CPUs.
public struct NewToolCounters: Hashable, Sendable {
    /// Processes and threads.
    public var tasks: UInt64 = 0
    /// Those that are threads.
    public var threads: UInt64 = 0
    /// The process's name when it last started a task.
    public var comm = ""
    /// CLOCK_MONOTONIC of that.
    public var seen: UInt64 = 0

    public init() {}

    package init(records: [newtool_counters]) {
        for record in records {
            tasks &+= record.tasks
            threads &+= record.threads
            if record.seen_ns > seen {
                seen = record.seen_ns
                comm = fixedText(record.comm)
            }
        }
    }

    /// What was added since an earlier reading, under this one's name.
    public func since(_ earlier: NewToolCounters) -> NewToolCounters {
        var result = self
        result.tasks &-= earlier.tasks
        result.threads &-= earlier.threads
        return result
    }
}
