// SPDX-License-Identifier: Apache-2.0

extension ByteWriter {
    mutating func add(_ sample: OOMSample) {
        add(UInt64(bitPattern: sample.time.nanoseconds))
        for number in [
            sample.boot, sample.bootNanoseconds, sample.pageBytes, sample.totalBytes, sample.availableBytes,
            sample.swapTotalBytes, sample.swapFreeBytes,
        ] { add(number) }
        add(sample.stalledNanoseconds)
        add(UInt32(sample.cgroups.count))
        for cgroup in sample.cgroups {
            add(cgroup.id)
            add(cgroup.path.path)
            add(cgroup.usageBytes)
            add(cgroup.limitBytes)
        }
        add(UInt32(sample.processes.count))
        for process in sample.processes {
            add(process.pid)
            add(process.startNanoseconds)
            add(process.comm)
            add(process.oomScoreAdj)
            add(process.residentBytes)
            add(process.swapBytes)
            add(process.pageTableBytes)
            add(process.cgroupID)
        }
    }
}

extension ByteWriter {
    mutating func add(_ moment: OOMMoment) {
        add(UInt64(bitPattern: moment.time.nanoseconds))
        add(moment.boot)
        add(moment.nanoseconds)
    }

    mutating func add(_ shortage: MemoryShortage?) {
        add(shortage?.totalBytes)
        add(shortage?.availableBytes)
        add(shortage?.some?.bitPattern)
        add(shortage?.full?.bitPattern)
    }

    mutating func add(_ restart: OOMRestart) {
        add(restart.kill)
        add(restart.killedPID)
        add(restart.pid)
        add(restart.comm)
        add(restart.cgroup.path)
        add(restart.startNanoseconds)
    }
}

extension ByteReader {
    mutating func oomMoment() -> OOMMoment? {
        guard let time = number(UInt64.self), let boot = number(UInt64.self), let since = number(UInt64.self)
        else { return nil }
        return OOMMoment(time: WallTime(nanoseconds: Int64(bitPattern: time)), boot: boot, nanoseconds: since)
    }

    /// nil: it is cut; nil within: it was not known.
    mutating func shortage() -> MemoryShortage?? {
        guard let total = known(), let available = known(), let some = known(), let full = known() else { return nil }
        guard let total, let available else { return .some(nil) }
        return MemoryShortage(
            totalBytes: total, availableBytes: available, some: some.map { Double(bitPattern: $0) },
            full: full.map { Double(bitPattern: $0) })
    }

    mutating func restart() -> OOMRestart? {
        guard let kill = oomMoment(), let killed = number(UInt32.self), let pid = number(UInt32.self),
            let comm = text(),
            let cgroup = text(), let start = number(UInt64.self)
        else { return nil }
        return OOMRestart(
            kill: kill, killedPID: killed, pid: pid, comm: comm, cgroup: CgroupPath(cgroup), startNanoseconds: start)
    }

    mutating func sample() -> OOMSample? {
        guard let time = number(UInt64.self), let boot = number(UInt64.self), let since = number(UInt64.self),
            let page = number(UInt64.self), let total = number(UInt64.self), let available = number(UInt64.self),
            let swap = number(UInt64.self),
            let free = number(UInt64.self), let stalled = known(), let cgroupCount = number(UInt32.self)
        else { return nil }
        var cgroups: [OOMCgroup] = []
        for _ in 0..<cgroupCount {
            guard let id = number(UInt64.self), let path = text(), let usage = known(), let limit = known()
            else { return nil }
            cgroups.append(OOMCgroup(id: id, path: CgroupPath(path), usageBytes: usage, limitBytes: limit))
        }
        guard let processCount = number(UInt32.self) else { return nil }
        var processes: [OOMProcess] = []
        for _ in 0..<processCount {
            guard let process = process() else { return nil }
            processes.append(process)
        }
        return OOMSample(
            time: WallTime(nanoseconds: Int64(bitPattern: time)), boot: boot, bootNanoseconds: since,
            pageBytes: page, totalBytes: total, availableBytes: available, swapTotalBytes: swap, swapFreeBytes: free,
            stalledNanoseconds: stalled, cgroups: cgroups, processes: processes)
    }

    private mutating func process() -> OOMProcess? {
        guard let pid = number(UInt32.self), let start = number(UInt64.self), let comm = text(),
            let adj = number(UInt32.self), let resident = number(UInt64.self), let swap = number(UInt64.self),
            let tables = number(UInt64.self), let cgroup = number(UInt64.self)
        else { return nil }
        return OOMProcess(
            pid: pid, startNanoseconds: start, comm: comm, oomScoreAdj: Int32(bitPattern: adj),
            residentBytes: resident, swapBytes: swap, pageTableBytes: tables, cgroupID: cgroup)
    }
}
