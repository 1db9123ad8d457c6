// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Reports

private let page: UInt64 = 4096

@Suite struct MappingLedgerArithmetic {
    private func ledger(pages count: UInt64 = 4, at address: UInt64 = 0x10000) -> MappingLedger {
        var ledger = MappingLedger(pageSize: page)
        ledger.map(pid: 1, address: address, length: count * page, time: 10, stack: 7)
        return ledger
    }

    private func ranges(_ ledger: MappingLedger, pid: UInt32 = 1) -> [[UInt64]] {
        ledger.pieces(of: pid).map { [$0.start, $0.end] }
    }

    @Test(
        "a length is rounded up to whole pages of the kernel's size, huge ones too",
        arguments: [4096, 16384] as [UInt64])
    func rounding(pageSize: UInt64) {
        var ledger = MappingLedger(pageSize: pageSize)
        ledger.map(pid: 1, address: 0x10000, length: 1, time: 1, stack: 1)
        ledger.map(pid: 1, address: 0x4000_0000, length: 1, time: 1, stack: 1, granule: 2 << 20)
        #expect(ranges(ledger) == [[0x10000, 0x10000 + pageSize], [0x4000_0000, 0x4020_0000]])
        ledger.unmap(pid: 1, address: 0x10000, length: 4096, begun: 2)
        #expect(ranges(ledger) == [[0x4000_0000, 0x4020_0000]])
        #expect(MappingCall.granule(flags: 0x22) == nil)
        #expect(MappingCall.granule(flags: 0x40022) == 2 << 20)
        #expect(MappingCall.granule(flags: 0x40022 | 30 << 26) == 1 << 30)
    }

    @Test(
        "unmapping whole, head, middle, tail, and what was never mapped",
        arguments: [
            (0x10000, 4, []), (0x10000, 1, [[0x11000, 0x14000]]),
            (0x11000, 1, [[0x10000, 0x11000], [0x12000, 0x14000]]), (0x13000, 1, [[0x10000, 0x13000]]),
            (0x13000, 9, [[0x10000, 0x13000]]), (0x0, 0x11, [[0x11000, 0x14000]]), (0x0, 100, []),
            (0x14000, 4, [[0x10000, 0x14000]]), (0xf000, 1, [[0x10000, 0x14000]]),
            (0x10000, 0, [[0x10000, 0x14000]]),
        ] as [(UInt64, UInt64, [[UInt64]])])
    func unmap(address: UInt64, pages: UInt64, left: [[UInt64]]) {
        var ledger = ledger()
        ledger.unmap(pid: 1, address: address, length: pages * page, begun: 20)
        #expect(ranges(ledger) == left)
        ledger.unmap(pid: 2, address: 0, length: .max - page, begun: 20)
        #expect(ranges(ledger) == left, "another process's")
    }

    @Test("one unmapping may take parts of several mappings")
    func across() {
        var ledger = ledger()
        ledger.map(pid: 1, address: 0x14000, length: page, time: 11, stack: 8)
        ledger.map(pid: 1, address: 0x20000, length: 4 * page, time: 12, stack: 9)
        ledger.unmap(pid: 1, address: 0x12000, length: 0x10000, begun: 20)
        #expect(ranges(ledger) == [[0x10000, 0x12000], [0x22000, 0x24000]])
    }

    @Test("mapping over something replaces it")
    func fixed() {
        var ledger = ledger()
        ledger.map(pid: 1, address: 0x11000, length: 2 * page, time: 20, stack: 8)
        #expect(ranges(ledger) == [[0x10000, 0x11000], [0x11000, 0x13000], [0x13000, 0x14000]])
        #expect(ledger.pieces(of: 1).map(\.stack) == [7, 8, 7])
    }

    @Test("a mapping made anew while another thread unmaps it stays")
    func race() {
        var ledger = ledger()
        // munmap began at 15; the range was mapped again at 18, which was told first
        ledger.map(pid: 1, address: 0x10000, length: 4 * page, time: 18, stack: 8)
        ledger.unmap(pid: 1, address: 0x10000, length: 4 * page, begun: 15)
        #expect(ranges(ledger) == [[0x10000, 0x14000]])
        #expect(ledger.pieces(of: 1).map(\.stack) == [8])
    }

    private func remapped(
        _ newAddress: UInt64, _ newPages: UInt64, oldPages: UInt64 = 4, keepsOld: Bool = false
    ) -> MappingLedger {
        var ledger = ledger()
        ledger.remap(
            pid: 1, address: 0x10000, length: oldPages * page, newAddress: newAddress,
            newLength: newPages * page, keepsOld: keepsOld, begun: 20, time: 21, stack: 9, recorded: true)
        return ledger
    }

    @Test("remapping: shrunk, grown, moved, doubled, kept")
    func remap() {
        #expect(ranges(remapped(0x10000, 1)) == [[0x10000, 0x11000]])
        #expect(remapped(0x10000, 1).pieces(of: 1).map(\.stack) == [7])
        #expect(ranges(remapped(0x10000, 8)) == [[0x10000, 0x18000]])
        #expect(remapped(0x10000, 8).pieces(of: 1).map(\.stack) == [9])
        #expect(ranges(remapped(0x50000, 2)) == [[0x50000, 0x52000]])
        #expect(
            ranges(remapped(0x50000, 4, oldPages: 0)) == [[0x10000, 0x14000], [0x50000, 0x54000]])
        #expect(
            ranges(remapped(0x50000, 4, keepsOld: true)) == [[0x10000, 0x14000], [0x50000, 0x54000]])
        // a part of it moved away
        #expect(
            ranges(remapped(0x50000, 2, oldPages: 1)) == [[0x11000, 0x14000], [0x50000, 0x52000]])
    }

    @Test("addresses that wrap are no mapping")
    func hostile() {
        var ledger = MappingLedger(pageSize: page)
        ledger.map(pid: 1, address: .max - 10, length: page, time: 1, stack: 1)
        ledger.map(pid: 1, address: page, length: .max, time: 1, stack: 1)
        ledger.unmap(pid: 1, address: .max, length: .max, begun: 1)
        #expect(ledger.pieces(of: 1).isEmpty)
    }

    @Test("agrees with a page-by-page model over 20 000 random calls")
    func model() {
        var random = SplitMix(state: 42)
        var ledger = MappingLedger(pageSize: page)
        var model: [UInt64: UInt64] = [:]  // page to stack
        for step in 1...20_000 {
            let address = random.next() % 64
            let length = random.next() % 12 + 1
            let stack = random.next() % 5 + 1
            let time = UInt64(step)
            switch random.next() % 3 {
            case 0:
                ledger.map(pid: 1, address: address * page, length: length * page, time: time, stack: stack)
                for index in address..<address + length { model[index] = stack }
            case 1:
                ledger.unmap(pid: 1, address: address * page, length: length * page, begun: time)
                for index in address..<address + length { model[index] = nil }
            default:
                let target = 128 + random.next() % 64
                let newLength = random.next() % 12 + 1
                ledger.remap(
                    pid: 1, address: address * page, length: length * page, newAddress: target * page,
                    newLength: newLength * page, keepsOld: false, begun: time, time: time, stack: stack,
                    recorded: true)
                for index in address..<address + length { model[index] = nil }
                for index in target..<target + newLength { model[index] = stack }
            }
        }
        var pages: [UInt64: UInt64] = [:]
        for piece in ledger.pieces(of: 1) {
            for index in piece.start / page..<piece.end / page {
                #expect(pages.updateValue(piece.stack, forKey: index) == nil)
            }
        }
        #expect(pages == model)
    }
}
