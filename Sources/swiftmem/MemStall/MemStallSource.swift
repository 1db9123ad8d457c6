// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import Reports

/// memstall's rows at the end of each interval.
struct MemStallSource: ReportSource {
    private let text: MemStallText
    private let histogram: Bool
    private let least: UInt64
    private var reader: MemStallReader

    /// Counting begins here.
    init(
        _ session: borrowing Session, _ text: MemStallText, histogram: Bool, least: UInt64, filtered: Bool,
        reclaim: ReclaimWish?, evicted: Bool, stacks: MemStallStackWish?
    ) throws {
        (self.text, self.histogram, self.least) = (text, histogram, least)
        reader = try MemStallReader(session, filtered: filtered, reclaim: reclaim, evicted: evicted, stacks: stacks)
    }

    mutating func begin(_ session: inout Session, _ events: borrowing EventLoop) throws -> Bool {
        if let changes = reader.changes { try events.watchRecords(changes) }
        return try session.begin("Tracing waits for memory. Ctrl-C to end.")
    }

    var alarmDelay: Double? { reader.alarmDelay }

    mutating func alarm(_ session: inout Session) throws { try reader.alarm() }

    mutating func takeIn(_ session: inout Session) throws { try reader.takeIn() }

    mutating func report(_ session: inout Session) throws {
        let interval = try reader.advance(session, by: text.grouping, least: least, histogram: histogram)
        if session.options.json {
            for line in MemStallJSON.lines(interval) { session.output.print(line) }
        } else {
            for line in text.lines(interval) { session.output.print(line) }
        }
    }
}
