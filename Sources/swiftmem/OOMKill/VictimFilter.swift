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
        (tasks.pid.map { $0.value == victim.victimPID } ?? true)
            && (tasks.tid.map { $0.value == victim.victimTID } ?? true)
            && (tasks.comm.map { String(decoding: $0.utf8.prefix(15), as: UTF8.self) == victim.victimComm } ?? true)
            && (cgroup.map { cgroup in victim.cgroup?.isBelow(cgroup.path) ?? false } ?? true)
    }
}
