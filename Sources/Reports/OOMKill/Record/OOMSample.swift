// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords

/// A process's memory, as the kernel weighs it when it chooses a victim (mm/oom_kill.c, `oom_badness()`).
public struct OOMProcess: Hashable, Sendable {
    public var pid: UInt32
    /// Start time, CLOCK_BOOTTIME in nanoseconds; tells the process from an earlier one with its PID.
    public var startNanoseconds: UInt64
    public var comm: String
    public var oomScoreAdj: Int32
    /// Resident pages: anonymous, of files, shared.
    public var residentBytes: UInt64
    public var swapBytes: UInt64
    public var pageTableBytes: UInt64
    /// kernfs id of its memory cgroup; 0: none.
    public var cgroupID: UInt64

    public init(
        pid: UInt32, startNanoseconds: UInt64, comm: String, oomScoreAdj: Int32, residentBytes: UInt64,
        swapBytes: UInt64, pageTableBytes: UInt64, cgroupID: UInt64
    ) {
        (self.pid, self.startNanoseconds, self.comm) = (pid, startNanoseconds, comm)
        (self.oomScoreAdj, self.cgroupID) = (oomScoreAdj, cgroupID)
        (self.residentBytes, self.swapBytes, self.pageTableBytes) = (residentBytes, swapBytes, pageTableBytes)
    }

    /// Resident and swapped out.
    public var bytes: UInt64 { residentBytes &+ swapBytes }

    /// Points that the kernel compares, in pages: the process with the most is killed. nil: it is never chosen.
    ///
    /// - Parameters:
    ///   - totalPages: RAM and swap that the OOM's domain may use.
    ///   - pageBytes: of the kernel that recorded it.
    public func points(totalPages: UInt64, pageBytes: UInt64) -> Int64? {
        guard oomScoreAdj > -1000, pageBytes > 0 else { return nil }
        let pages = residentBytes / pageBytes &+ swapBytes / pageBytes &+ pageTableBytes / pageBytes
        let share = Int64(clamping: totalPages / 1000)
        return Int64(clamping: pages).addingCapped(Int64(oomScoreAdj).multipliedCapped(share))
    }

    /// Decodes the records that BPF/lib/write_process.h writes, one for each process.
    ///
    /// - Parameter bytes: consecutive records; an incomplete one at the end is left out.
    public static func all(_ bytes: [UInt8]) -> [OOMProcess] {
        records(bytes, as: process_memory.self).map { OOMProcess($0) }
    }

    init(_ record: process_memory) {
        let page = UInt64(record.page_bytes)
        self.init(
            pid: record.pid, startNanoseconds: record.start_ns, comm: fixedText(record.comm),
            oomScoreAdj: record.oom_score_adj,
            residentBytes: (record.anon_pages &+ record.file_pages &+ record.shmem_pages) &* page,
            swapBytes: record.swap_pages &* page, pageTableBytes: record.pgtables_bytes, cgroupID: record.cgroup_id)
    }
}

/// A memory cgroup at one moment.
public struct OOMCgroup: Hashable, Sendable {
    /// kernfs id.
    public var id: UInt64
    public var path: CgroupPath
    /// nil: it can't be read.
    public var usageBytes: UInt64?
    /// nil: none.
    public var limitBytes: UInt64?

    public init(id: UInt64, path: CgroupPath, usageBytes: UInt64?, limitBytes: UInt64?) {
        (self.id, self.path, self.usageBytes, self.limitBytes) = (id, path, usageBytes, limitBytes)
    }
}

/// A sample: the machine's memory, its cgroups and processes at one second.
public struct OOMSample: Hashable, Sendable {
    public var time: WallTime
    /// Tells one boot of the machine from another.
    public var boot: UInt64
    /// CLOCK_BOOTTIME in nanoseconds.
    public var bootNanoseconds: UInt64
    public var pageBytes: UInt64
    /// MemTotal, MemAvailable and swap of /proc/meminfo.
    public var totalBytes: UInt64
    public var availableBytes: UInt64
    public var swapTotalBytes: UInt64
    public var swapFreeBytes: UInt64
    /// Total of PSI's `some` for memory; nil where the kernel keeps none.
    public var stalledNanoseconds: UInt64?
    public var cgroups: [OOMCgroup]
    /// The processes that `OOMSelection` chose.
    public var processes: [OOMProcess]

    public init(
        time: WallTime, boot: UInt64, bootNanoseconds: UInt64, pageBytes: UInt64, totalBytes: UInt64,
        availableBytes: UInt64, swapTotalBytes: UInt64, swapFreeBytes: UInt64, stalledNanoseconds: UInt64?,
        cgroups: [OOMCgroup], processes: [OOMProcess]
    ) {
        (self.time, self.boot, self.bootNanoseconds, self.pageBytes) = (time, boot, bootNanoseconds, pageBytes)
        (self.totalBytes, self.availableBytes) = (totalBytes, availableBytes)
        (self.swapTotalBytes, self.swapFreeBytes) = (swapTotalBytes, swapFreeBytes)
        (self.stalledNanoseconds, self.cgroups, self.processes) = (stalledNanoseconds, cgroups, processes)
    }

    /// The path of a process's cgroup; nil where it is not known.
    public func path(of process: OOMProcess) -> CgroupPath? { cgroups.first { $0.id == process.cgroupID }?.path }
}

extension Int64 {
    func addingCapped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }

    func multipliedCapped(_ other: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? ((self < 0) != (other < 0) ? .min : .max) : product
    }
}
