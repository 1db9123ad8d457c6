// SPDX-License-Identifier: Apache-2.0
internal import Reports

/// What the progress line says, and when it says it anew.
struct ProgressMeter {
    private var line = ProgressLine()
    private let isWanted: Bool
    private let began = monotonicNow()
    private var shownAt = monotonicNow()
    private var calls: UInt64 = 0
    private var total: OutstandingSum?
    /// The sum is made anew from then on: all blocks are read for it, which may take a while.
    private var nextSum: UInt64 = 0

    /// - Parameter isWanted: reports in text are printed, and nothing in between.
    init(isWanted: Bool) { self.isWanted = isWanted }

    /// Is there a terminal to show it on?
    var isOn: Bool { isWanted && line.isOn }

    func isDue(_ now: UInt64) -> Bool { isOn && now >= shownAt + UInt64(ProgressLine.interval * 0.9e9) }

    /// Shows it in place of the last.
    mutating func show(
        _ now: UInt64, _ reporter: inout MemLeakReporter, _ processes: inout ProcessTable, _ session: borrowing Session
    ) throws {
        let counted = try reporter.counters().calls
        if now >= nextSum {
            total = try reporter.total(&processes)
            // a fiftieth of the time at most
            nextSum = now + (monotonicNow() - now) * 50
        }
        line.show(
            MemLeakProgress(
                elapsed: Double(now - began) / 1e9,
                callsPerSecond: Double(counted &- calls) / (Double(now - shownAt) / 1e9),
                bytes: total?.bytes, count: total?.count ?? 0, lost: UInt64(try session.losses().total)))
        (shownAt, calls) = (now, counted)
    }

    /// Takes it off the terminal, before anything else is printed.
    mutating func clear() { line.clear() }
}
