// SPDX-License-Identifier: Apache-2.0
package import TraceRecords

/// A stall that is over.
public struct MemStallEvent: TraceEvent, Hashable {
    /// CLOCK_MONOTONIC of its end.
    public var end: UInt64
    public var pid: UInt32
    public var tid: UInt32
    public var comm: String
    public var cause: MemStallCause
    public var stalledNanoseconds: UInt64
    public var offCPUNanoseconds: UInt64
    public var reclaimedPages: UInt64
    /// The allocation's size: powers of two of pages; nil where there is no allocation.
    public var order: Int32?
    /// nil where it is of no allocation.
    public var gfp: UInt32?
    /// kernfs ids, 0: none or unknown.
    public var cgroup: UInt64
    public var limitCgroup: UInt64

    public init?(_ record: RawSpan) {
        guard let event = record.record(memstall_event.self) else { return nil }
        end = event.end_ns
        (pid, tid, comm) = (event.pid, event.tid, fixedText(event.comm))
        cause = MemStallCause(rawValue: event.cause) ?? .other
        stalledNanoseconds = event.stalled_ns
        offCPUNanoseconds = event.off_cpu_ns
        reclaimedPages = event.reclaimed_pages
        order = event.order < 0 ? nil : event.order
        gfp = event.order < 0 ? nil : event.gfp
        (cgroup, limitCgroup) = (event.cgroup, event.limit_cgroup)
    }
}

extension CgroupPath {
    /// As BPF/memstall.bpf.c has found it.
    package init(_ record: memstall_cgroup) {
        self.init(leafFirst: fixedBytes(record.names, record.length))
    }
}
