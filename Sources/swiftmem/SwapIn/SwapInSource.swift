// SPDX-License-Identifier: Apache-2.0
internal import Reports

/// swapin's rows at the end of each interval.
struct SwapInSource: ReportSource {
    private let layout: SwapInText.Layout
    private let histogram: Bool
    private var reader: SwapInReader

    /// Counting begins here.
    init(_ session: borrowing Session, _ layout: SwapInText.Layout, histogram: Bool) throws {
        self.layout = layout
        self.histogram = histogram
        reader = try SwapInReader(session)
    }

    mutating func begin(_ session: inout Session, _ events: borrowing EventLoop) throws -> Bool {
        guard try session.begin(SwapInText.header) else { return false }
        if reader.devices.isEmpty {
            note("swapin: no swap device or file is in use; counting goes on, should one come")
        }
        return true
    }

    mutating func report(_ session: inout Session) throws {
        var interval = try reader.advance(session, histogram: histogram)
        if layout.byCgroup { interval.rows = SwapInRow.byCgroup(interval.rows) }
        if session.options.json {
            for line in SwapInJSON.lines(interval) { session.output.print(line) }
        } else {
            for line in SwapInText.lines(interval, layout) { session.output.print(line) }
        }
    }

    mutating func close(_ session: inout Session, isLast: Bool) throws {
        if isLast && !session.options.json { session.output.print(SwapInText.ending) }
    }
}
