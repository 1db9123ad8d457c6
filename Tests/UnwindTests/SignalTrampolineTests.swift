// SPDX-License-Identifier: Apache-2.0
import CUnwind
import Testing
import TraceRecords

@testable import Unwind

@Suite struct SignalTrampolines {
    private static let code: [UInt8] = [0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4]
    private static let noOperation: [UInt8] = [0x1f, 0x20, 0x03, 0xd5]

    private func places(_ code: [UInt8], at address: UInt64 = 0x1000) -> [ClosedRange<UInt64>] {
        code.withUnsafeBufferPointer { bytes in
            SignalTrampoline.rows(
                in: unwind_code(bytes: bytes.baseAddress, size: bytes.count, address: address)
            ).map { row in
                #expect(row.rule == UInt64(UNWIND_SIGNAL_FRAME.rawValue) | UInt64(UNWIND_SIGNAL))
                return row.start...row.end
            }
        }
    }

    @Test("from the instruction before it to its end; at the start, in the middle, at the very end")
    func found() {
        let padding = Self.noOperation
        #expect(places(Self.code) == [0xffc...0x1008])
        #expect(places(padding + Self.code) == [0x1000...0x100c])
        #expect(places(padding + padding + Self.code + padding) == [0x1004...0x1010])
        #expect(places(Self.code + padding + Self.code) == [0xffc...0x1008, 0x1008...0x1014])
        // nothing lies before the first address
        #expect(places(Self.code, at: 0) == [0...8] && places(Self.code, at: 3) == [3...11])
        #expect(places(Self.code, at: 4) == [0...12])
    }

    @Test("not between instructions, not cut off, not with another number")
    func others() {
        #expect(places([0, 0] + Self.code).isEmpty && places(Array(Self.code.dropLast())).isEmpty)
        #expect(places([]).isEmpty && places(Self.noOperation).isEmpty)
        for index in Self.code.indices {
            var other = Self.code
            other[index] ^= 1
            #expect(places(other).isEmpty)
        }
    }
}
