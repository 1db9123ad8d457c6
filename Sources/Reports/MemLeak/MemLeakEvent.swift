// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords

/// What BPF/memleak.bpf.c and BPF/kernelleak.bpf.c tell; times are CLOCK_MONOTONIC nanoseconds.
public enum MemLeakEvent: Hashable, TraceEvent {
    /// mmap, munmap or mremap succeeded.
    case mapping(MappingCall)
    /// A call that is to be shown (`-t`).
    case traced(MemLeakCall)
    /// A chosen process has a child, which is chosen too.
    case forked(pid: UInt32, parent: UInt32)
    /// A process has another program: what it had allocated until then is gone.
    ///
    /// - Parameter isNarrow: it is one of 32 bits.
    case execed(pid: UInt32, comm: String, time: UInt64, isNarrow: Bool)
    /// The last thread of a process has ended.
    case exited(pid: UInt32, time: UInt64)
    /// A stack of the process led to code in no mapping known.
    case unmapped(pid: UInt32)

    public init?(_ record: RawSpan) {
        guard let event = record.record(memleak_event.self) else { return nil }
        switch event.kind {
        case MEMLEAK_MAPPING.rawValue:
            guard let call = MappingCall(event) else { return nil }
            self = .mapping(call)
        case MEMLEAK_TRACED.rawValue:
            guard let call = MemLeakCall(event) else { return nil }
            self = .traced(call)
        case MEMLEAK_FORKED.rawValue: self = .forked(pid: event.pid, parent: event.parent)
        case MEMLEAK_EXECED.rawValue:
            self = .execed(
                pid: event.pid, comm: fixedText(event.comm), time: event.time_ns, isNarrow: event.recorded != 0)
        case MEMLEAK_EXITED.rawValue: self = .exited(pid: event.pid, time: event.time_ns)
        case MEMLEAK_UNMAPPED.rawValue: self = .unmapped(pid: event.pid)
        default: return nil
        }
    }
}

extension MappingCall {
    fileprivate init?(_ event: memleak_event) {
        switch event.op {
        case MEMLEAK_MMAP.rawValue:
            change = .mapped(
                address: event.result, length: event.length,
                granule: Self.granule(flags: event.map_flags))
        case MEMLEAK_MUNMAP.rawValue: change = .unmapped(address: event.address, length: event.length)
        case MEMLEAK_MREMAP.rawValue:
            change = .remapped(
                address: event.address, length: event.length, newAddress: event.result,
                newLength: event.new_length, keepsOld: event.map_flags & 4 != 0)  // MREMAP_DONTUNMAP
        default: return nil
        }
        pid = event.pid
        begun = event.enter_ns
        time = event.time_ns
        stack = event.stack
        isRecorded = event.recorded != 0
    }
}

extension MemLeakCall {
    fileprivate init?(_ event: memleak_event) {
        guard event.op > 0, event.op < MEMLEAK_OPS.rawValue else { return nil }
        kind = [MEMLEAK_FREE.rawValue, MEMLEAK_MUNMAP.rawValue].contains(event.op) ? .free : .allocation
        time = event.time_ns
        pid = event.pid
        tid = event.tid
        comm = fixedText(event.comm)
        address = kind == .free ? event.address : event.result
        bytes = event.op == MEMLEAK_MREMAP.rawValue ? event.new_length : event.length
        isRecorded = event.recorded != 0
    }
}
