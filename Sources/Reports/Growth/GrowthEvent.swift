// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords

/// What BPF/growth.bpf.c tells.
public enum GrowthEvent: Hashable, TraceEvent {
    case process(ProcessChange)
    /// mremap moves pages to another address.
    case moved(GrowthMove)

    public init?(_ record: RawSpan) {
        if let change = ProcessChange(record) {
            self = .process(change)
        } else if let move = record.record(growth_move.self), move.kind == PROCESS_CHANGES.rawValue {
            self = .moved(
                GrowthMove(
                    space: GrowthSpaceID(pid: move.pid, serial: move.serial), parked: move.parked, from: move.from,
                    length: move.length, newLength: move.new_length, room: move.to, roomLength: move.found))
        } else {
            return nil
        }
    }
}
