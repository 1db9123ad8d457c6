// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

@Suite struct ProcessChanges {
    private func change(_ kind: process_change_kind, narrow: UInt32 = 0) -> ProcessChange? {
        var record = process_change()
        (record.kind, record.pid, record.parent, record.time_ns) = (kind.rawValue, 5, 4, 20)
        record.narrow = narrow
        withUnsafeMutableBytes(of: &record.comm) { $0.copyBytes(from: "app".utf8) }
        return ProcessChange(bytesOf: record)
    }

    @Test("what becomes of processes")
    func kinds() {
        #expect(change(PROCESS_FORKED) == .forked(pid: 5, parent: 4))
        #expect(change(PROCESS_EXECED) == .execed(pid: 5, comm: "app", time: 20, isNarrow: false))
        #expect(change(PROCESS_EXECED, narrow: 1) == .execed(pid: 5, comm: "app", time: 20, isNarrow: true))
        #expect(change(PROCESS_EXITED) == .exited(pid: 5, time: 20))
        #expect(change(PROCESS_UNMAPPED) == .unmapped(pid: 5))
        #expect(change(PROCESS_CHANGES) == nil, "a tool's own")
    }

    @Test("growth's own record: pages that mremap moves")
    func move() {
        var record = growth_move()
        (record.kind, record.pid, record.serial, record.parked) = (PROCESS_CHANGES.rawValue, 5, 6, 7)
        (record.from, record.length, record.new_length) = (0x1000, 0x2000, 0x3000)
        (record.to, record.found) = (0x40_0000, 0x3000)
        #expect(
            GrowthEvent(bytesOf: record)
                == .moved(
                    GrowthMove(
                        space: GrowthSpaceID(pid: 5, serial: 6), parked: 7, from: 0x1000, length: 0x2000,
                        newLength: 0x3000, room: 0x40_0000, roomLength: 0x3000)))
        record.kind += 1
        #expect(GrowthEvent(bytesOf: record) == nil)
    }
}
