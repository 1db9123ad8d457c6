// SPDX-License-Identifier: Apache-2.0
internal import Reports

/// The one loop that every tool runs in: it waits, counts intervals down, prints what was lost, and writes the output.
struct ReportLoop: ~Copyable {
    /// When reports are due, and when the run ends.
    struct Pace {
        /// Seconds between reports; nil: the tool prints events as they come.
        var interval: Double?
        /// Intervals to the end; nil: no such end.
        var count: Int?
        /// Seconds to the end; nil: no such end.
        var duration: Double?
        /// The tool fills the screen: it wants keys, and shows itself what was lost.
        var terminal = false
    }

    private let pace: Pace
    private var events: EventLoop
    private var left: Int?
    /// When the alarm goes off, CLOCK_MONOTONIC; nil: it is not set.
    private var alarmDue: UInt64?

    private init(_ pace: Pace) throws {
        self.pace = pace
        events = try EventLoop(interval: pace.interval, duration: pace.duration, terminal: pace.terminal)
        left = pace.count
    }

    /// Runs a tool to its end: a signal, the duration, the last interval, the end of what is traced, or of the reader.
    ///
    /// - Throws: what the source throws, and `Failure` where the output can't be written.
    static func run<Source: ReportSource & ~Copyable>(
        _ source: inout Source, _ session: inout Session, _ pace: Pace
    ) throws {
        var loop = try ReportLoop(pace)
        guard try source.begin(&session, loop.events) else { return }
        while try loop.turn(&source, &session) {}
    }

    /// Waits for one thing and does it.
    ///
    /// - Returns: false when the run is over.
    private mutating func turn<Source: ReportSource & ~Copyable>(
        _ source: inout Source, _ session: inout Session
    ) throws -> Bool {
        if try source.ended(&session) { return try finish(&source, &session) }
        guard try session.output.flush() else { return false }
        try setAlarm(source.alarmDelay)
        let wakeup = try events.next()
        if wakeup == .outputClosed { return false }
        try source.takeIn(&session)
        switch wakeup {
        case .records, .resized, .outputClosed: break
        case .keys: try source.keysTyped(&session)
        case .childChanged: try source.childChanged(&session)
        case .alarm:
            alarmDue = nil
            try source.alarm(&session)
        case .tick:
            left = left.map { $0 - 1 }
            try source.tick(&session, isLast: left == 0)
            if left == 0 { return try finish(&source, &session) }
        case .reportWanted: try source.report(&session)
        case .baselineWanted: try source.setBaseline(&session)
        case .stop:
            // Ctrl-C goes to a command that is traced too, which may have ended of it
            try source.childChanged(&session)
            if try !source.ended(&session) { try source.report(&session) }
            return try finish(&source, &session)
        }
        // a tool without intervals says what was lost with each batch of events
        guard wakeup.endsInterval || pace.interval == nil else { return true }
        try showLosses(&session)
        if wakeup.endsInterval { try source.close(&session, isLast: false) }
        return true
    }

    /// The last report is made.
    private func finish<Source: ReportSource & ~Copyable>(
        _ source: inout Source, _ session: inout Session
    ) throws -> Bool {
        try showLosses(&session)
        try source.close(&session, isLast: true)
        _ = try session.output.flush()
        return false
    }

    private func showLosses(_ session: inout Session) throws {
        if !pace.terminal { try session.showLosses() }
    }

    /// Not anew at each event: a busy ring would put it off for ever.
    private mutating func setAlarm(_ delay: Double?) throws {
        guard let delay else { return }
        let due = monotonicNow() + UInt64(delay * 1e9)
        if let alarmDue, alarmDue <= due { return }
        try events.wake(after: delay)
        alarmDue = due
    }
}
