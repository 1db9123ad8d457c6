// SPDX-License-Identifier: Apache-2.0
package import TraceRecords

/// A task, why it waits, and whose limit that is; no later task of the same id, which starts later.
public struct MemStallKey: Hashable, Sendable {
    public var pid: UInt32
    public var tid: UInt32
    /// When the task started, nanoseconds since boot.
    public var start: UInt64
    public var cause: MemStallCause
    /// kernfs id of its memory cgroup, 0 unknown.
    public var cgroup: UInt64
    /// kernfs id of the memory cgroup whose limit it is; 0: none or unknown.
    public var limitCgroup: UInt64
    /// Hashes of the stacks that it began with; 0: none, or they are not wanted.
    public var kernelStack: UInt64
    public var userStack: UInt64

    package init(_ key: memstall_key) {
        (pid, tid, start) = (key.pid, key.tid, key.start_ns)
        cause = MemStallCause(rawValue: key.cause) ?? .other
        (cgroup, limitCgroup) = (key.cgroup, key.limit_cgroup)
        (kernelStack, userStack) = (key.kernel_stack, key.user_stack)
    }

    /// Its key in the programs' map.
    package var record: memstall_key {
        memstall_key(
            start_ns: start, cgroup: cgroup, limit_cgroup: limitCgroup, kernel_stack: kernelStack,
            user_stack: userStack, pid: pid, tid: tid, cause: cause.rawValue, padding: 0)
    }

    /// The row's that it belongs to, whatever its stacks.
    package var withoutStacks: MemStallKey {
        var key = self
        (key.kernelStack, key.userStack) = (0, 0)
        return key
    }
}

/// A task's stalls of one cause since it was first seen.
public struct MemStallCounters: Hashable, Sendable {
    /// Those that have ended.
    public var count: UInt64 = 0
    public var stalledNanoseconds: UInt64 = 0
    /// The part of it that PSI counts.
    public var psiNanoseconds: UInt64 = 0
    /// The part of it that the task was off the CPU.
    public var offCPUNanoseconds: UInt64 = 0
    public var reclaimedPages: UInt64 = 0
    /// Within the epoch that was asked for.
    public var longestNanoseconds: UInt64 = 0
    public var comm = ""

    public init() {}

    /// - Parameter epoch: the interval whose longest stall is wanted.
    package init(_ record: memstall_counters, epoch: UInt32) {
        count = record.count
        stalledNanoseconds = record.stalled_ns
        psiNanoseconds = record.psi_ns
        offCPUNanoseconds = record.off_cpu_ns
        reclaimedPages = record.reclaimed_pages
        let (stamp, longest) =
            epoch & 1 == 0 ? (record.epoch.0, record.longest_ns.0) : (record.epoch.1, record.longest_ns.1)
        if stamp == epoch { longestNanoseconds = longest }
        comm = fixedText(record.comm)
    }

    /// A stall that goes on, up to a moment.
    package mutating func add(_ piece: MemStallPiece) {
        stalledNanoseconds &+= piece.own
        if piece.isPSI { psiNanoseconds &+= piece.own }
        offCPUNanoseconds &+= piece.off
        reclaimedPages &+= piece.reclaimedPages
        longestNanoseconds = max(longestNanoseconds, piece.own)
        comm = piece.comm
    }

    /// What was added since an earlier reading. A stall may be read as going on and again as ended, between which it
    /// is in neither: that part comes with the next reading.
    public func since(_ earlier: MemStallCounters) -> MemStallCounters {
        func growth(_ counter: KeyPath<MemStallCounters, UInt64>) -> UInt64 {
            let (now, then) = (self[keyPath: counter], earlier[keyPath: counter])
            return now > then ? now - then : 0
        }
        var result = self
        result.count = growth(\.count)
        result.stalledNanoseconds = growth(\.stalledNanoseconds)
        result.psiNanoseconds = growth(\.psiNanoseconds)
        result.offCPUNanoseconds = growth(\.offCPUNanoseconds)
        result.reclaimedPages = growth(\.reclaimedPages)
        return result
    }

    /// The larger of each, for the next interval to start from.
    func highest(_ earlier: MemStallCounters) -> MemStallCounters {
        var result = self
        result.count = max(count, earlier.count)
        result.stalledNanoseconds = max(stalledNanoseconds, earlier.stalledNanoseconds)
        result.psiNanoseconds = max(psiNanoseconds, earlier.psiNanoseconds)
        result.offCPUNanoseconds = max(offCPUNanoseconds, earlier.offCPUNanoseconds)
        result.reclaimedPages = max(reclaimedPages, earlier.reclaimedPages)
        return result
    }

    public var isIdle: Bool { count == 0 && stalledNanoseconds == 0 }
}
