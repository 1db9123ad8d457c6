// SPDX-License-Identifier: Apache-2.0

extension ByteWriter {
    mutating func add(_ sample: OOMSample) {
        add(UInt64(bitPattern: sample.time.nanoseconds))
        for number in [
            sample.bootNanoseconds, sample.pageBytes, sample.totalBytes, sample.availableBytes, sample.swapTotalBytes,
            sample.swapFreeBytes,
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

extension ByteReader {
    mutating func sample() -> OOMSample? {
        guard let time = number(UInt64.self), let boot = number(UInt64.self), let page = number(UInt64.self),
            let total = number(UInt64.self), let available = number(UInt64.self), let swap = number(UInt64.self),
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
            time: WallTime(nanoseconds: Int64(bitPattern: time)), bootNanoseconds: boot, pageBytes: page,
            totalBytes: total, availableBytes: available, swapTotalBytes: swap, swapFreeBytes: free,
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
