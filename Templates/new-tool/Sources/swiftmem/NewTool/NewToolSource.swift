// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import Reports
internal import SystemLayer
internal import TraceRecords

/// newtool's counters, a report at the end of each interval.
struct NewToolSource: ReportSource {
    private let text: NewToolText
    private let seesThreads: Bool
    private let counters: PerCPUMap<newtool_key, newtool_counters>
    private var ledger: NewToolLedger
    private var losses: Losses
    private var began: UInt64

    /// Counting begins here.
    init(_ session: borrowing Session, _ text: NewToolText) throws {
        self.text = text
        seesThreads = session.probes.resolution[NewTool.Tasks.self]?.seesThreads ?? false
        counters = try session.probes.object.perCPUMap("processes")
        ledger = NewToolLedger(from: try Self.read(counters), seesThreads: seesThreads)
        losses = try session.losses()
        began = monotonicNow()
    }

    private static func read(
        _ counters: PerCPUMap<newtool_key, newtool_counters>
    ) throws -> [NewToolProcess: NewToolCounters] {
        var reading: [NewToolProcess: NewToolCounters] = [:]
        try counters.forEach { key, records in
            reading[NewToolProcess(key)] = NewToolCounters(records: records)
        }
        return reading
    }

    mutating func begin(_ session: inout Session, _ events: borrowing EventLoop) throws -> Bool {
        try session.begin(text.header)
    }

    mutating func report(_ session: inout Session) throws {
        let interval = try advance(session)
        guard !session.options.json else {
            session.output.print(NewToolJSON.line(interval))
            return
        }
        for line in text.lines(interval) { session.output.print(line) }
    }

    /// Ends an interval.
    private mutating func advance(_ session: borrowing Session) throws -> NewToolInterval {
        // who is gone before the reading counts no more behind it
        let gone = ledger.processes.filter { !ProcessFiles($0.pid).exists }
        let now = monotonicNow()
        let rows = ledger.advance(to: try Self.read(counters))
        for process in gone { try counters.remove(process.key) }
        let lossesNow = try session.losses()
        defer { (losses, began) = (lossesNow, now) }
        return NewToolInterval(
            time: .now, intervalNanoseconds: now - began, rows: rows, seesThreads: seesThreads,
            losses: lossesNow.since(losses))
    }
}
