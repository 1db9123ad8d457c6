// SPDX-License-Identifier: Apache-2.0
internal import Reports

/// Which victims the user asked for.
struct VictimFilter {
    private let tasks: TaskOptions
    private let cgroup: CgroupTarget?

    init(_ tasks: TaskOptions) throws(Failure) {
        try requireTask(tasks)
        self.tasks = tasks
        if let name = tasks.cgroup { cgroup = try CgroupTarget(name) } else { cgroup = nil }
    }

    func matches(_ victim: OOMVictim) -> Bool {
        matches(pid: victim.victimPID, tid: victim.victimTID, comm: victim.victimComm, victim.cgroup)
    }

    func matches(_ kill: SentKill) -> Bool {
        matches(pid: kill.victimPID, tid: kill.victimPID, comm: kill.victimComm, kill.cgroup)
    }

    private func matches(pid: UInt32, tid: UInt32, comm: String, _ path: CgroupPath?) -> Bool {
        (tasks.pid.map { $0.value == pid } ?? true)
            && (tasks.tid.map { $0.value == tid } ?? true)
            && (tasks.comm.map { String(decoding: $0.utf8.prefix(15), as: UTF8.self) == comm } ?? true)
            && (cgroup.map { path?.isBelow($0.path) ?? false } ?? true)
    }
}
