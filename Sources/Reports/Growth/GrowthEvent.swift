// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords

/// What BPF/growth.bpf.c tells of the lives of traced processes.
public enum GrowthEvent: Hashable, TraceEvent {
    /// A traced process has a child, which is traced too.
    case forked(pid: UInt32, parent: UInt32)
    /// A process has another program, and another address space.
    ///
    /// - Parameter isNarrow: it is one of 32 bits.
    case execed(pid: UInt32, comm: String, isNarrow: Bool)
    /// The last thread of a process has ended.
    case exited(pid: UInt32, time: UInt64)
    /// A stack of the process led to code in no mapping known.
    case unmapped(pid: UInt32)
    /// mremap moves pages to another address.
    case moved(GrowthMove)

    public init?(_ record: RawSpan) {
        guard let event = record.record(growth_event.self) else { return nil }
        switch event.kind {
        case GROWTH_FORKED.rawValue: self = .forked(pid: event.pid, parent: event.parent)
        case GROWTH_EXECED.rawValue:
            self = .execed(pid: event.pid, comm: fixedText(event.comm), isNarrow: event.narrow != 0)
        case GROWTH_EXITED.rawValue: self = .exited(pid: event.pid, time: event.time_ns)
        case GROWTH_UNMAPPED.rawValue: self = .unmapped(pid: event.pid)
        case GROWTH_MOVED.rawValue:
            self = .moved(
                GrowthMove(
                    space: GrowthSpaceID(pid: event.pid, serial: event.serial), parked: event.parked,
                    from: event.from, length: event.length, newLength: event.new_length, room: event.to,
                    roomLength: event.found))
        default: return nil
        }
    }
}
