// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

@Suite struct MemLeakRecords {
    private func event(
        _ kind: memleak_kind, _ operation: memleak_op, _ change: (inout memleak_event) -> Void = { _ in }
    ) -> MemLeakEvent? {
        var record = memleak_event()
        (record.kind, record.op, record.pid, record.tid) = (kind.rawValue, operation.rawValue, 5, 6)
        (record.time_ns, record.enter_ns, record.stack, record.recorded) = (20, 10, 99, 1)
        (record.address, record.length, record.result, record.new_length) = (0x1000, 0x2000, 0x3000, 0x4000)
        withUnsafeMutableBytes(of: &record.comm) { $0.copyBytes(from: "app".utf8) }
        change(&record)
        return MemLeakEvent(bytesOf: record)
    }

    @Test("mappings: what changes, and whether it counts")
    func mappings() throws {
        func mapping(_ operation: memleak_op, _ change: (inout memleak_event) -> Void = { _ in }) throws -> MappingCall
        {
            guard case .mapping(let call)? = event(MEMLEAK_MAPPING, operation, change) else { throw NotDecoded() }
            return call
        }
        let made = try mapping(MEMLEAK_MMAP)
        #expect(made.change == .mapped(address: 0x3000, length: 0x2000, granule: nil))
        #expect(made.pid == 5 && made.begun == 10 && made.time == 20 && made.stack == 99 && made.isRecorded)
        #expect(try !mapping(MEMLEAK_MMAP) { $0.recorded = 0 }.isRecorded)
        let huge = try mapping(MEMLEAK_MMAP) { $0.map_flags = 0x40000 | 16 << 26 }
        #expect(huge.change == .mapped(address: 0x3000, length: 0x2000, granule: 65536))
        #expect(try mapping(MEMLEAK_MUNMAP).change == .unmapped(address: 0x1000, length: 0x2000))
        for (flags, keeps) in [(3, false), (4, true), (5, true), (8, false)] as [(UInt64, Bool)] {
            let moved = try mapping(MEMLEAK_MREMAP) { $0.map_flags = .init(flags) }
            #expect(
                moved.change
                    == .remapped(
                        address: 0x1000, length: 0x2000, newAddress: 0x3000, newLength: 0x4000, keepsOld: keeps))
        }
    }

    @Test("calls that are shown: frees by their address, others by their result; mremap's new length")
    func traced() throws {
        func call(_ operation: memleak_op) throws -> MemLeakCall {
            guard case .traced(let call)? = event(MEMLEAK_TRACED, operation) else { throw NotDecoded() }
            return call
        }
        for operation in [MEMLEAK_FREE, MEMLEAK_MUNMAP] {
            let free = try call(operation)
            #expect(free.kind == .free && free.address == 0x1000 && free.bytes == 0x2000)
        }
        for operation in [MEMLEAK_SIZE, MEMLEAK_MMAP] {
            let made = try call(operation)
            #expect(made.kind == .allocation && made.address == 0x3000 && made.bytes == 0x2000)
        }
        let moved = try call(MEMLEAK_MREMAP)
        #expect(moved.kind == .allocation && moved.address == 0x3000 && moved.bytes == 0x4000)
        #expect(moved.time == 20 && moved.pid == 5 && moved.tid == 6 && moved.comm == "app" && moved.isRecorded)
    }

    @Test("huge pages: the flag, and the six bits of the size")
    func granules() {
        #expect(MappingCall.granule(flags: 21 << 26) == nil)
        #expect(MappingCall.granule(flags: 0x20000 | 21 << 26) == nil && MappingCall.granule(flags: 0x80000) == nil)
        #expect(MappingCall.granule(flags: 0x40000) == 2_097_152)
        #expect(MappingCall.granule(flags: 0x40000 | 1 << 26) == 2)
        #expect(MappingCall.granule(flags: 0x40000 | 16 << 26) == 65536)
        #expect(MappingCall.granule(flags: 0x40000 | 63 << 26) == 1 << 63)
        #expect(MappingCall.granule(flags: 0x40000 | 1 << 32) == 2 << 20)
    }

    @Test("calls applied to the ledger: those that don't count map nothing, and take away what they replace")
    func applied() {
        func call(_ change: MappingCall.Change, isRecorded: Bool, begun: UInt64 = 50) -> MappingCall {
            MappingCall(pid: 1, begun: begun, time: begun + 1, stack: 3, isRecorded: isRecorded, change: change)
        }
        var ledger = MappingLedger(pageSize: 4096)
        ledger.apply(call(.mapped(address: 0x10000, length: 1, granule: nil), isRecorded: false))
        #expect(ledger.pieces(of: 1).isEmpty && ledger.pids.isEmpty)
        ledger.apply(call(.mapped(address: 0x10000, length: 4097, granule: nil), isRecorded: true))
        ledger.apply(call(.mapped(address: 0x80000, length: 1, granule: 8192), isRecorded: true))
        #expect(ledger.pieces(of: 1).map(\.length) == [8192, 8192] && ledger.pids == [1])
        // begun just when the mapping had returned: it may be a later one
        ledger.apply(call(.unmapped(address: 0x10000, length: 4096), isRecorded: true, begun: 51))
        #expect(ledger.pieces(of: 1).map(\.length) == [8192, 8192])
        ledger.apply(call(.unmapped(address: 0x10000, length: 4096), isRecorded: true, begun: 52))
        #expect(ledger.pieces(of: 1).map(\.start) == [0x11000, 0x80000])
        let grown = MappingCall.Change.remapped(
            address: 0x11000, length: 4096, newAddress: 0x80000, newLength: 4096, keepsOld: false)
        ledger.apply(call(grown, isRecorded: false, begun: 60))
        #expect(ledger.pieces(of: 1).map(\.start) == [0x81000])
        ledger.forget(pid: 1)
        #expect(ledger.pids.isEmpty)
    }

    @Test("remapping in place: to the same length, to one page more or less, of nothing")
    func remapped() {
        func ranges(_ length: UInt64, to newLength: UInt64, at address: UInt64 = 0x10000) -> [[UInt64]] {
            var ledger = MappingLedger(pageSize: 4096)
            ledger.map(pid: 1, address: 0x10000, length: 0x4000, time: 1, stack: 7)
            ledger.remap(
                pid: 1, address: 0x10000, length: length, newAddress: address, newLength: newLength, keepsOld: false,
                begun: 2, time: 3, stack: 8, recorded: true)
            return ledger.pieces(of: 1).map { [$0.start, $0.end, $0.stack] }
        }
        #expect(ranges(0x4000, to: 0x4000) == [[0x10000, 0x14000, 7]])
        #expect(ranges(0x4000, to: 0x3fff) == [[0x10000, 0x14000, 7]])
        #expect(ranges(0x4000, to: 0x3000) == [[0x10000, 0x13000, 7]])
        #expect(ranges(0x4000, to: 0x4001) == [[0x10000, 0x15000, 8]])
        #expect(ranges(0x4000, to: 0) == [[0x10000, 0x14000, 7]])
        #expect(ranges(0, to: 0x1000) == [[0x10000, 0x11000, 8], [0x11000, 0x14000, 7]])
        #expect(ranges(1, to: 0x1000, at: 0x30000) == [[0x11000, 0x14000, 7], [0x30000, 0x31000, 8]])
        #expect(ranges(0x4000, to: 0x1000, at: 0x11000) == [[0x11000, 0x12000, 8]])
    }

    @Test("the last page of the address space, and the first that does not exist")
    func top() {
        var ledger = MappingLedger(pageSize: 4096)
        ledger.map(pid: 1, address: 0 &- 8192, length: 4096, time: 1, stack: 1)
        #expect(ledger.pieces(of: 1).map(\.end) == [0 &- 4096])
        ledger.map(pid: 1, address: 0 &- 4096, length: 4096, time: 1, stack: 1)
        ledger.map(pid: 1, address: 0, length: .max - 4094, time: 1, stack: 1)
        #expect(ledger.pieces(of: 1).map(\.end) == [0 &- 4096])
        ledger.map(pid: 2, address: 0, length: .max - 4095, time: 1, stack: 1)
        #expect(ledger.pieces(of: 2).map(\.end) == [0 &- 4096])
    }
}
