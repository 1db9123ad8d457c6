// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords

/// What BPF/memleak.bpf.c and BPF/kernelleak.bpf.c tell; times are CLOCK_MONOTONIC nanoseconds.
public enum MemLeakEvent: Hashable, TraceEvent {
    /// mmap, munmap or mremap succeeded.
    case mapping(MappingCall)
    /// A call that is to be shown (`-t`).
    case traced(MemLeakCall)
    case process(ProcessChange)

    public init?(_ record: RawSpan) {
        if let change = ProcessChange(record) {
            self = .process(change)
            return
        }
        guard let event = record.record(memleak_event.self) else { return nil }
        switch event.kind {
        case MEMLEAK_MAPPING.rawValue:
            guard let call = MappingCall(event) else { return nil }
            self = .mapping(call)
        case MEMLEAK_TRACED.rawValue:
            guard let call = MemLeakCall(event) else { return nil }
            self = .traced(call)
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
