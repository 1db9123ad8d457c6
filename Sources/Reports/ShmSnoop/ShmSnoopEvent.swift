// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords

/// What BPF/shmsnoop.bpf.c tells.
public enum ShmSnoopEvent: Hashable, TraceEvent {
    /// A system call returned.
    case returned(ShmCall)

    public init?(_ record: RawSpan) {
        guard let event = record.record(shm_event.self) else { return nil }
        var name: String?
        var newName: String?
        if event.flags & SHM_CALL_NAMED.rawValue != 0 {
            guard let named = record.record(shm_named_event.self) else { return nil }
            name = fixedText(named.name)
        }
        if event.flags & SHM_CALL_RENAMED.rawValue != 0 {
            guard let renamed = record.record(shm_renamed_event.self) else { return nil }
            newName = fixedText(renamed.new_name)
        }
        guard let call = ShmCall(record: event, name: name, newName: newName) else { return nil }
        self = .returned(call)
    }
}

extension ShmCall {
    /// nil for a call that is not known.
    init?(record: shm_event, name: String?, newName: String? = nil) {
        guard let kind = Kind(rawValue: record.call) else { return nil }
        self.kind = kind
        self.name = name
        self.newName = newName
        time = record.time_ns
        pid = record.pid
        tid = record.tid
        comm = fixedText(record.comm)
        result = record.result
        let a = record.arguments
        arguments = [a.0, a.1, a.2, a.3, a.4, a.5]
        durationNanoseconds = record.duration_ns == UInt64.max ? nil : record.duration_ns
        compat = record.flags & SHM_CALL_COMPAT.rawValue != 0
    }
}
