// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

/// What a recording may say, at its ends: beyond them it is damaged.
@Suite struct LeakRecordBounds {
    /// What reading a recording comes to: its records, and why it ended before its end.
    private struct Reading {
        var records: [LeakRecord] = []
        var error: LeakRecordingError?

        init(_ bytes: [UInt8]) {
            do throws(LeakRecordingError) {
                var recording = try LeakRecording(bytes)
                while let record = try recording.next() { records.append(record) }
            } catch {
                self.error = error
            }
        }
    }

    /// The record as it is read again; nil: it is damaged.
    private func again(_ record: LeakRecord) -> LeakRecord? {
        var writer = LeakRecordWriter()
        let reading = Reading(writer.head() + writer.bytes(record))
        #expect(reading.error == (reading.records.isEmpty ? .damaged(offset: LeakRecordFile.head.count) : nil))
        return reading.records.first
    }

    private func run(start: UInt64 = 5, patience: Double = 9) -> LeakRecord {
        .run(LeakRun(start: start, patience: patience, mayLeak: true, target: "pid 7"))
    }

    @Test("a patience of a hundredth of a second to thirty years; times of a century")
    func runs() {
        for patience in [0.01, 9, 999_999_999] {
            #expect(again(run(patience: patience)) == run(patience: patience))
        }
        for patience in [0.0099, 1e9, -1, .nan, .infinity] { #expect(again(run(patience: patience)) == nil) }
        #expect(again(run(start: 1 << 62 - 1)) == run(start: 1 << 62 - 1) && again(run(start: 1 << 62)) == nil)
        #expect(again(.baseline(1 << 62 - 1)) == .baseline(1 << 62 - 1) && again(.baseline(1 << 62)) == nil)
    }

    @Test("whatever is recorded of a run's course")
    func others() {
        func sampling(_ rate: UInt64, before: UInt64, isMet: Bool) -> LeakRecord {
            .sampling(
                LeakSampling(
                    time: WallTime(nanoseconds: -3), overheadPercent: 0.5, rate: rate, before: before, isMet: isMet))
        }
        for record in [
            sampling(16, before: 4, isMet: true), sampling(4, before: 16, isMet: false),
            sampling(4, before: 4, isMet: true), .gone(7), .gone(.max), .note("a line"), .note(""),
            .end(isFull: true), .end(isFull: false),
        ] { #expect(again(record) == record) }
    }

    @Test("a head of another version, and one that is cut")
    func heads() {
        func error(_ text: String) -> LeakRecordingError? { Reading(Array(text.utf8)).error }
        #expect(error("swiftmem memleak 1\n") == nil && error("swiftmem memleak 1") == .cut(offset: 0))
        #expect(error("swiftmem memleak 2\n") == .version("2") && error("swiftmem memleak ") == .cut(offset: 0))
        #expect(error("swiftmem memleak \n") == .version("") && error("swiftmem memlea") == .notARecording)
        #expect(error("swiftmem memleak 123456789012345678901\n") == .version("12345678901234567890"))
        #expect(error("") == .notARecording)
    }

    @Test("a record cut anywhere ends the reading where it begins")
    func cut() {
        var writer = LeakRecordWriter()
        let head = writer.head(), record = writer.bytes(.note("a line"))
        for length in 0...record.count {
            let reading = Reading(head + record.prefix(length))
            #expect(reading.records == (length == record.count ? [.note("a line")] : []))
            #expect(reading.error == (length == 0 || length == record.count ? nil : .cut(offset: head.count)))
        }
    }
}
