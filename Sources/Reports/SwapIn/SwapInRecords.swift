// SPDX-License-Identifier: Apache-2.0
package import TraceRecords

/// A process that swapin's programs count for: no later one of the same id, which starts later.
public struct SwapInProcess: Hashable, Sendable {
    public let pid: UInt32
    /// When it started, nanoseconds since boot.
    public let start: UInt64

    package init(_ key: swapin_key) {
        pid = key.pid
        start = key.start_ns
    }

    /// Its key in the programs' map.
    package var key: swapin_key { swapin_key(start_ns: start, pid: pid, padding: 0) }
}

extension CgroupPath {
    /// As BPF/swapin.bpf.c has found it.
    package init(_ record: swapin_cgroup) {
        self.init(leafFirst: fixedBytes(record.names, record.length))
    }
}
