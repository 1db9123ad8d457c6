// SPDX-License-Identifier: Apache-2.0

/// One process of an interval.
public struct NewToolRow: Hashable, Sendable {
    public let pid: UInt32
    public let comm: String
    /// Processes and threads that it started.
    public let tasks: UInt64
    /// Those that are threads; nil where that can't be told.
    public let threads: UInt64?

    public init(pid: UInt32, comm: String, tasks: UInt64, threads: UInt64?) {
        self.pid = pid
        self.comm = comm
        self.tasks = tasks
        self.threads = threads
    }
}

/// What was started in one interval, and by whom.
public struct NewToolInterval: Hashable, Sendable {
    public let time: WallTime
    public let intervalNanoseconds: UInt64
    /// Most tasks first.
    public let rows: [NewToolRow]
    /// Are threads told from processes?
    public let seesThreads: Bool
    public let losses: Losses

    public init(
        time: WallTime, intervalNanoseconds: UInt64, rows: [NewToolRow], seesThreads: Bool, losses: Losses
    ) {
        self.time = time
        self.intervalNanoseconds = intervalNanoseconds
        self.rows = rows
        self.seesThreads = seesThreads
        self.losses = losses
    }

    /// The sum of the rows.
    public var tasks: UInt64 { rows.reduce(0) { $0 &+ $1.tasks } }

    /// The sum of the rows; nil where it can't be told.
    public var threads: UInt64? { seesThreads ? rows.reduce(0) { $0 &+ ($1.threads ?? 0) } : nil }
}
