// SPDX-License-Identifier: Apache-2.0
import TraceRecords

@testable import Reports

/// Rows, intervals and records for the tests of memstall: whoever adopts it has them.
protocol MemStallSamples {}

extension MemStallSamples {
    static var second: UInt64 { 1_000_000_000 }

    func row(
        _ cause: MemStallCause, tid: UInt32? = 9, pid: UInt32? = 7, milliseconds: UInt64, count: UInt64 = 1,
        pages: UInt64 = 0, limit: String? = nil, cgroup: String? = "/a/b", comm: String? = "app"
    ) -> MemStallRow {
        var counters = MemStallCounters()
        (counters.count, counters.stalledNanoseconds) = (count, milliseconds * 1_000_000)
        (counters.offCPUNanoseconds, counters.longestNanoseconds) = (milliseconds * 500_000, milliseconds * 250_000)
        counters.psiNanoseconds = cause == .dirtyThrottle || cause == .asked ? 0 : counters.stalledNanoseconds
        counters.reclaimedPages = pages
        return MemStallRow(
            pid: pid, tid: tid, comm: comm, cgroup: cgroup.map { CgroupPath($0) }, cause: cause,
            limitCgroup: limit.map { CgroupPath($0) }, counters: counters)
    }

    /// - Parameter shown: the rows of the report; nil: the tasks'.
    func interval(
        _ rows: [MemStallRow], shown: [MemStallRow]? = nil, pressure: MemoryPressure? = nil, explained: UInt64? = nil,
        vmstat: String = "", histograms: [MemStallCause: Log2Histogram]? = nil,
        files: [String: (StallCgroupFiles, StallCgroupFiles)] = [:], explainedGroups: [String: UInt64] = [:]
    ) -> MemStallInterval {
        var interval = MemStallInterval(
            time: GoldenRecord.time, intervalNanoseconds: Self.second, rows: shown ?? rows, pressure: pressure,
            explained: explained, vmstat: ReclaimVMStat(vmstat: vmstat), histograms: histograms, losses: Losses())
        func by<Value>(_ value: ((StallCgroupFiles, StallCgroupFiles)) -> Value) -> [CgroupPath: Value] {
            Dictionary(uniqueKeysWithValues: files.map { (CgroupPath($0.key), value($0.value)) })
        }
        interval.judge(
            tasks: rows, before: by(\.0), now: by(\.1),
            explained: Dictionary(uniqueKeysWithValues: explainedGroups.map { (CgroupPath($0.key), $0.value) }),
            pageSize: 4096)
        return interval
    }

    func files(_ texts: [String: String]) -> StallCgroupFiles {
        StallCgroupFiles(isUnified: true) { texts[$0] }
    }

    static func event() -> memstall_event {
        var record = memstall_event()
        (record.end_ns, record.stalled_ns, record.off_cpu_ns) = (5_000_000_000, 1_234_567, 1000)
        (record.reclaimed_pages, record.cgroup, record.limit_cgroup) = (32, 3, 4)
        (record.pid, record.tid, record.cause, record.gfp, record.order) = (
            7, 9, MEMSTALL_DIRECT_RECLAIM.rawValue, 0xcc0, 2
        )
        withUnsafeMutableBytes(of: &record.comm) { $0.copyBytes(from: Array("app".utf8)) }
        return record
    }

    static func event(order: Int32) -> MemStallEvent? {
        var record = event()
        record.order = order
        return MemStallEvent(bytesOf: record)
    }
}
