// SPDX-License-Identifier: Apache-2.0
internal import Reports

/// cachetop's table at the end of each interval.
struct CacheTopSource: ReportSource {
    private var readings: CacheTopReadings

    init(_ readings: CacheTopReadings) { self.readings = readings }

    mutating func begin(_ session: inout Session, _ events: borrowing EventLoop) throws -> Bool {
        // a table has a heading of its own, each time
        try !session.options.json || session.begin("")
    }

    mutating func report(_ session: inout Session) throws {
        let reading = try readings.advance(session)
        let report = readings.report(of: reading, by: readings.options.by.view, readings.order)
        if session.options.json {
            for row in report.rows { session.output.print(CacheTopJSON.line(row, of: report)) }
            session.output.print(CacheTopJSON.line(report))
            return
        }
        session.output.print(CacheTopText.title(report))
        session.output.print(CacheTopText.header(report.view))
        let names = readings.names
        for row in report.rows {
            session.output.print(
                CacheTopText.line(row, seesAccesses: report.seesAccesses) { names.userName($0) })
        }
        if let remark = CacheTopText.remark(report) { session.output.note(remark) }
    }

    mutating func close(_ session: inout Session, isLast: Bool) throws {
        if !session.options.json { session.output.print("") }
    }
}
