// SPDX-License-Identifier: Apache-2.0
internal import Unwind
internal import LibBPF
internal import Reports

/// What the progress line was made of last.
struct ProgressState {
    let began = monotonicNow()
    var time = monotonicNow()
    var calls: UInt64 = 0
    var total: OutstandingSum?
    /// The sum is made anew from then on: all blocks are read for it, which may take a while.
    var nextSum: UInt64 = 0
}

extension MemLeakRun {
    /// Sees to it that the loop wakes for what is to be done between ticks; not anew at
    /// each event, for a busy ring would put it off for ever.
    mutating func keepAwake(_ loop: inout EventLoop) throws(Failure) {
        var delays: [Double] = []
        if !settling.isEmpty { delays.append(0.02) }
        if let unwinder, unwinder.hasAskers { delays.append(unwinder.delay) }
        if showsProgress { delays.append(ProgressLine.interval) }
        guard let delay = delays.min() else { return }
        let now = monotonicNow(), due = now + UInt64(delay * 1e9)
        if let alarmDue, alarmDue > now, alarmDue <= due { return }
        try loop.wake(after: delay)
        alarmDue = due
    }

    private var showsProgress: Bool { progress.isOn && !plan.arguments.trace && !session.options.json }

    mutating func alarm() throws(Failure) {
        alarmDue = nil
        try settle()
        let now = monotonicNow()
        guard showsProgress, now >= progressState.time + UInt64(ProgressLine.interval * 0.9e9) else { return }
        let reader = reader
        let counters = try explained { () throws(BPFError) in try reader.readCounters() }
        if now >= progressState.nextSum {
            progressState.total = try outstanding(youngest: .max).0.total
            // a fiftieth of the time at most
            progressState.nextSum = now + (monotonicNow() - now) * 50
        }
        let passed = Double(now - progressState.time) / 1e9
        progress.show(
            MemLeakProgress(
                elapsed: Double(now - progressState.began) / 1e9,
                callsPerSecond: Double(counters.calls &- progressState.calls) / passed,
                bytes: progressState.total?.bytes, count: progressState.total?.count ?? 0,
                lost: UInt64(try session.losses().total)))
        progressState.time = now
        progressState.calls = counters.calls
    }
}
