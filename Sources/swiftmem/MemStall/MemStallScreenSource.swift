// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Reports

/// memstall's screen, drawn anew after everything that happens.
struct MemStallScreenSource: ReportSource, ~Copyable {
    private var reader: MemStallReader
    private var screen: MemStallScreen
    private let least: UInt64
    private var isOver = false
    private let terminal: Terminal

    /// - Parameters:
    ///   - least: nanoseconds; rows below are left out.
    ///   - terminal: taken over by now, as cachetop's is.
    init(
        _ reader: MemStallReader, by grouping: MemStallRow.Grouping, least: UInt64, on terminal: consuming Terminal
    ) {
        self.reader = reader
        self.least = least
        screen = MemStallScreen(grouping: grouping)
        self.terminal = terminal
    }

    mutating func begin(_ session: inout Session, _ events: borrowing EventLoop) throws -> Bool { true }

    var alarmDelay: Double? { reader.alarmDelay }

    mutating func alarm(_ session: inout Session) throws { try reader.alarm() }

    mutating func report(_ session: inout Session) throws {
        screen.take(try reader.advance(session, by: .task, least: least, histogram: false))
    }

    mutating func keysTyped(_ session: inout Session) throws {
        guard let keys = terminal.keys() else {
            isOver = true
            return
        }
        for key in keys where !screen.press(key) { isOver = true }
    }

    mutating func ended(_ session: inout Session) throws -> Bool {
        guard !isOver else { return true }
        let size = terminal.size
        return !terminal.show(screen.lines(width: size.width, height: size.height))
    }
}
