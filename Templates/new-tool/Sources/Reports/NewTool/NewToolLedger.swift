// SPDX-License-Identifier: Apache-2.0

/// The last reading of every process's counters: an interval is what the next one adds.
public struct NewToolLedger: Sendable {
    private let seesThreads: Bool
    private var last: [NewToolProcess: NewToolCounters]

    /// - Parameter seesThreads: threads are told from processes.
    public init(from reading: [NewToolProcess: NewToolCounters], seesThreads: Bool) {
        last = reading
        self.seesThreads = seesThreads
    }

    /// Those of the last reading.
    public var processes: [NewToolProcess] { Array(last.keys) }

    /// Ends an interval.
    ///
    /// - Returns: the processes that started a task in it, those with most first, by id where they are as many.
    public mutating func advance(to reading: [NewToolProcess: NewToolCounters]) -> [NewToolRow] {
        defer { last = reading }
        var rows: [NewToolRow] = []
        for (process, counters) in reading {
            let added = counters.since(last[process] ?? NewToolCounters())
            guard added.tasks > 0 else { continue }
            rows.append(
                NewToolRow(
                    pid: process.pid, comm: added.comm, tasks: added.tasks,
                    threads: seesThreads ? added.threads : nil))
        }
        return rows.sorted { ($1.tasks, $0.pid) < ($0.tasks, $1.pid) }
    }
}
