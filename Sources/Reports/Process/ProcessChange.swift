// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords

/// What BPF/lib/processes.h tells of the lives of traced processes; times are CLOCK_MONOTONIC nanoseconds.
public enum ProcessChange: Hashable, TraceEvent {
    /// A traced process has a child, which is traced too.
    case forked(pid: UInt32, parent: UInt32)
    /// A process has another program, and another address space.
    ///
    /// - Parameter isNarrow: it is one of 32 bits.
    case execed(pid: UInt32, comm: String, time: UInt64, isNarrow: Bool)
    /// The last thread of a process has ended.
    case exited(pid: UInt32, time: UInt64)
    /// A stack of the process led to code in no mapping known.
    case unmapped(pid: UInt32)

    public init?(_ record: RawSpan) {
        guard let change = record.record(process_change.self) else { return nil }
        switch change.kind {
        case PROCESS_FORKED.rawValue: self = .forked(pid: change.pid, parent: change.parent)
        case PROCESS_EXECED.rawValue:
            self = .execed(
                pid: change.pid, comm: fixedText(change.comm), time: change.time_ns, isNarrow: change.narrow != 0)
        case PROCESS_EXITED.rawValue: self = .exited(pid: change.pid, time: change.time_ns)
        case PROCESS_UNMAPPED.rawValue: self = .unmapped(pid: change.pid)
        default: return nil
        }
    }
}
