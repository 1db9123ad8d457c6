// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibBPF
import Testing

extension LibBPFLiveTests {
    @Suite(.serialized) struct RingBuffers {
        @Test("a full ring loses, counts, and goes on: 200 000 events and no reader")
        func full() throws {
            let attached = try Attached.flood()
            var ring = try attached.object.ringBuffer("events")
            let losses: PerCPUMap<UInt32, UInt64> = try attached.object.perCPUMap("losses")
            let total = 200_000
            let begin = Date()
            for _ in 0..<total { _ = getppid() }
            let rate = Double(total) / Date().timeIntervalSince(begin)
            #expect(rate > 50_000, "\(Int(rate)) events/s")
            var received = 0
            var last: UInt64?
            try ring.consume { span in
                guard let event = span.record(FloodEvent.self) else { return }
                // by the time: the number is its CPU's own, and this thread may move to another
                if let last { #expect(event.time > last) }
                last = event.time
                received += 1
            }
            // 64 KiB of ring, 24 bytes an event
            #expect(received > 2500 && received < 2800)
            #expect(try losses.sum(for: 0) == UInt64(total - received))
            // and it works again
            for _ in 0..<10 { _ = getppid() }
            var after = 0
            try ring.consume { _ in after += 1 }
            #expect(after == 10)
        }

        @Test("a wait ends with records, or with its time")
        func wait() throws {
            let attached = try Attached.flood()
            var ring = try attached.object.ringBuffer("events")
            var records = 0
            #expect(try ring.wait(milliseconds: 20) { _ in records += 1 } == 0)
            for _ in 0..<3 { _ = getppid() }
            #expect(try ring.wait(milliseconds: 1000) { _ in records += 1 } == 3)
            #expect(records == 3)
        }
    }
}

@Suite struct Records {
    @Test("records too short for a type are none")
    func short() throws {
        let bytes: [UInt8] = [1, 2, 3]
        #expect(bytes.span.bytes.record(FloodEvent.self) == nil)
        #expect(bytes.span.bytes.record(UInt8.self) == 1)
    }
}
