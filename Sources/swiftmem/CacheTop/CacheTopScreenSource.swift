// SPDX-License-Identifier: Apache-2.0
internal import Reports

/// cachetop's screen, drawn anew after everything that happens.
struct CacheTopScreenSource: ReportSource, ~Copyable {
    private var readings: CacheTopReadings
    private var state: CacheTopScreenState
    /// The reading on the screen; nil: the first interval is not over.
    private var shown: CacheTopReading?
    private var isOver = false
    private let terminal: Terminal

    /// - Parameter terminal: taken over by now. It is made outside, since Swift 6.2 can't compile an initializer of a
    ///   noncopyable value that throws and has such a part.
    init(_ readings: CacheTopReadings, on terminal: consuming Terminal) {
        self.readings = readings
        state = CacheTopScreenState(view: readings.options.by.view, order: readings.order)
        self.terminal = terminal
    }

    mutating func begin(_ session: inout Session, _ events: borrowing EventLoop) throws -> Bool { true }

    mutating func report(_ session: inout Session) throws {
        let reading = try readings.advance(session)
        if !state.isPaused { shown = reading }
    }

    mutating func keysTyped(_ session: inout Session) throws {
        guard let keys = terminal.keys() else {
            isOver = true
            return
        }
        for key in keys where state.press(key) == .quit { isOver = true }
    }

    mutating func ended(_ session: inout Session) throws -> Bool {
        guard !isOver else { return true }
        let size = terminal.size
        let report = shown.map { readings.report(of: $0, by: state.view, state.order) }
        let lines = CacheTopScreen.lines(
            report, state, width: size.width, height: size.height, userName: readings.names.userName)
        return !terminal.show(lines)
    }
}
