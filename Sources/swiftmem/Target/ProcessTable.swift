// SPDX-License-Identifier: Apache-2.0
internal import CTracee
internal import Glibc
internal import LibBPF
internal import Symbols
internal import SystemLayer

/// The processes of a run: who is traced, who has ended, and whose memory is gone.
struct ProcessTable {
    /// Processes that are traced and have not ended, as far as is known.
    private(set) var living: Set<UInt32> = []
    /// Processes whose memory of until then is gone: it is dropped when blocks are read next.
    private(set) var dead: [UInt32: UInt64] = [:]
    /// Followed children that have ended: what they left is in the next report, and dropped behind it.
    private(set) var ended: [UInt32: UInt64] = [:]
    /// Processes whose libraries are not all mapped yet, with the looks still to take.
    private var settling: [UInt32: Int] = [:]
    /// The process that was looked at last, of those that take turns.
    private var lastTurn: UInt32 = 0
    private var watched: [UInt32: ProcessDescriptor] = [:]
    /// Those that run a program of 32 bits.
    private var narrow: Set<UInt32> = []
    /// The programs' list of processes to record.
    private let chosen: BPFMap<UInt32, UInt32>

    /// - Throws: `BPFError` where the object has no such map.
    init(_ object: borrowing LoadedObject) throws(BPFError) {
        chosen = try object.map("processes")
    }

    /// Has the programs record a process.
    ///
    /// - Throws: `BPFError` where the map is full.
    mutating func choose(_ pid: UInt32) throws(BPFError) {
        living.insert(pid)
        try chosen.set(pid, to: 1)
    }

    /// Traced already: a member of the cgroup, or the child of a process that is followed.
    mutating func add(_ pid: UInt32) { living.insert(pid) }

    /// Does it run a program of 32 bits?
    func isNarrow(_ pid: UInt32) -> Bool { narrow.contains(pid) }

    mutating func set(_ pid: UInt32, isNarrow: Bool) {
        if isNarrow { narrow.insert(pid) } else { narrow.remove(pid) }
    }

    // MARK: the end of a process

    /// Wakes the loop when one of them ends: no program sees the end of a process that was going already when it was
    /// chosen.
    ///
    /// - Throws: `Failure` where the loop can't wait for it.
    mutating func watch(
        _ processes: [(pid: UInt32, descriptor: ProcessDescriptor)], _ events: borrowing EventLoop
    ) throws(Failure) {
        for (pid, process) in processes where living.contains(pid) {
            try events.watchProcess(process.raw)
            watched[pid] = process
        }
    }

    /// Takes out those that have ended.
    mutating func removeEnded() {
        for (pid, process) in watched where process.hasEnded {
            living.remove(pid)
            watched[pid] = nil
        }
    }

    /// It had ended before it was traced; what was recorded is whoever's has its number now.
    ///
    /// - Throws: `BPFError` where the programs' list can't be changed.
    mutating func leaveOut(_ pid: UInt32, until time: UInt64) throws(BPFError) {
        living.remove(pid)
        try chosen.remove(pid)
        drop(pid, until: time)
    }

    /// A program has seen its last thread end.
    ///
    /// - Parameter isReported: what it left is in the next report, and then dropped.
    mutating func exited(_ pid: UInt32, _ time: UInt64, isReported: Bool) {
        living.remove(pid)
        narrow.remove(pid)
        settling[pid] = nil
        if isReported { ended[pid] = time }
    }

    /// What a process had until then is dropped when blocks are read next.
    mutating func drop(_ pid: UInt32, until time: UInt64) { dead[pid] = time }

    /// Blocks were read, and those of the dead dropped.
    mutating func forgetDead() { dead = [:] }

    /// A report was made.
    ///
    /// - Returns: the followed children that it was the last report of.
    mutating func takeEnded() -> [UInt32: UInt64] {
        defer { ended = [:] }
        return ended
    }

    // MARK: looks

    /// It has called exec, and maps its libraries in the next moments.
    mutating func execed(_ pid: UInt32) {
        living.insert(pid)
        settling[pid] = 8
    }

    /// Does somebody still map libraries?
    var isSettling: Bool { !settling.isEmpty }

    /// Those that do; each is looked at eight times.
    mutating func takeSettling() -> [UInt32] {
        let pids = Array(settling.keys)
        for (pid, looks) in settling { settling[pid] = looks > 1 ? looks - 1 : nil }
        return pids
    }

    /// Those to look at on this tick: all where they are few, else so many in turn.
    mutating func takeTurn(_ count: Int) -> [UInt32] {
        let sorted = living.sorted()
        guard sorted.count > count else { return sorted }
        let start = sorted.firstIndex { $0 > lastTurn } ?? 0
        let turn = (0..<count).map { sorted[(start + $0) % sorted.count] }
        lastTurn = turn.last ?? 0
        return turn
    }
}

/// A pidfd: readable once the process has ended.
final class ProcessDescriptor {
    private let descriptor: OwnedDescriptor

    var raw: Int32 { descriptor.raw }

    /// Has it ended? Its number may be another's since.
    var hasEnded: Bool {
        var wait = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
        return poll(&wait, 1, 0) == 1
    }

    /// - Throws: `Failure` where there is no such process, or it can't be waited for.
    init(_ pid: UInt32) throws(Failure) {
        let raw = tracee_open_process(Int32(pid))
        guard raw >= 0 else {
            throw Failure(.system(operation: "pidfd_open", path: "", errno: -raw), ofProcess: pid)
        }
        descriptor = OwnedDescriptor(owning: raw)
    }
}
