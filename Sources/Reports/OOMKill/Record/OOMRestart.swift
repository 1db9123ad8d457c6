// SPDX-License-Identifier: Apache-2.0

/// A process that took a killed one's place: of its name, arguments and cgroup, within a minute.
public struct OOMRestart: Hashable, Sendable {
    /// When the one before was killed.
    public var kill: OOMMoment
    public var killedPID: UInt32
    public var pid: UInt32
    public var comm: String
    public var cgroup: CgroupPath
    /// CLOCK_BOOTTIME in nanoseconds.
    public var startNanoseconds: UInt64

    public init(
        kill: OOMMoment, killedPID: UInt32, pid: UInt32, comm: String, cgroup: CgroupPath, startNanoseconds: UInt64
    ) {
        (self.kill, self.killedPID, self.pid, self.comm) = (kill, killedPID, pid, comm)
        (self.cgroup, self.startNanoseconds) = (cgroup, startNanoseconds)
    }

    /// Seconds from the kill to its start.
    public var afterSeconds: Double {
        Double(startNanoseconds - Swift.min(startNanoseconds, kill.nanoseconds)) / 1e9
    }
}

/// Looks for the processes that take killed ones' places.
public struct OOMRestarts: Sendable {
    /// How long after a kill.
    static let patience: UInt64 = 60_000_000_000
    /// Kills that are waited for, at most.
    static let most = 64

    private struct Killed {
        let moment: OOMMoment
        let pid: UInt32
        let comm: String
        let cmdline: String?
        let cgroup: CgroupPath
    }

    private var killed: [Killed] = []

    public init() {}

    /// Is there a kill to look for?
    public var isEmpty: Bool { killed.isEmpty }

    /// A process was killed. Outside of a cgroup of its own nobody restarts it, and a process of its name is another.
    public mutating func expect(
        _ pid: UInt32, _ comm: String, cmdline: String?, in cgroup: CgroupPath?, killedAt moment: OOMMoment
    ) {
        guard let cgroup, cgroup.path != "/" else { return }
        // a daemon's SIGTERM, and its SIGKILL a second later
        killed.removeAll { $0.pid == pid }
        if killed.count >= Self.most { killed.removeFirst() }
        killed.append(Killed(moment: moment, pid: pid, comm: comm, cmdline: cmdline, cgroup: cgroup))
    }

    /// - Parameters:
    ///   - processes: all of them, at `now`.
    ///   - now: CLOCK_BOOTTIME in nanoseconds.
    ///   - path: of a process's cgroup.
    ///   - cmdline: a process's arguments, joined by spaces.
    /// - Returns: those that took a killed one's place since the last call.
    public mutating func look(
        _ processes: [OOMProcess], now: UInt64, path: (OOMProcess) -> CgroupPath?, cmdline: (UInt32) -> String?
    ) -> [OOMRestart] {
        killed.removeAll { now > $0.moment.nanoseconds &+ Self.patience }
        guard let oldest = killed.map(\.moment.nanoseconds).min() else { return [] }
        var found: [OOMRestart] = []
        for process in processes where process.startNanoseconds > oldest {
            let index = killed.firstIndex { killed in
                guard process.startNanoseconds > killed.moment.nanoseconds, process.comm == killed.comm,
                    let own = path(process), Self.isSamePlace(own, killed.cgroup)
                else { return false }
                // the kernel's record is cut, and so may either be
                guard let wanted = killed.cmdline, let has = cmdline(process.pid) else { return true }
                return has.utf8.starts(with: wanted.utf8) || wanted.utf8.starts(with: has.utf8)
            }
            guard let index, let cgroup = path(process) else { continue }
            let before = killed.remove(at: index)
            found.append(
                OOMRestart(
                    kill: before.moment, killedPID: before.pid, pid: process.pid, comm: process.comm, cgroup: cgroup,
                    startNanoseconds: process.startNanoseconds))
        }
        return found
    }

    /// The same cgroup, or, of containers, which get a new one each time, one beside it in the same pod.
    private static func isSamePlace(_ one: CgroupPath, _ other: CgroupPath) -> Bool {
        if one == other { return true }
        guard let first = one.path.lastIndex(of: "/"), let second = other.path.lastIndex(of: "/") else { return false }
        return one.path.contains("kubepods") && one.path[..<first] == other.path[..<second]
    }
}
