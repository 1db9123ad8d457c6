// SPDX-License-Identifier: Apache-2.0

/// What a tool sees and prints; `ReportLoop` decides when. A tool implements what it needs: all but the head has a
/// default that does nothing.
protocol ReportSource: ~Copyable {
    /// Prints the head, and names the descriptors that wake the loop.
    ///
    /// - Returns: false when nobody reads.
    mutating func begin(_ session: inout Session, _ events: borrowing EventLoop) throws -> Bool

    /// Takes in what programs have sent. Called after each wait, before anything else.
    mutating func takeIn(_ session: inout Session) throws

    /// An interval is over. The default reports.
    ///
    /// - Parameter isLast: the run ends here, for as many intervals are over as were asked for.
    mutating func tick(_ session: inout Session, isLast: Bool) throws

    /// Reports what there is now: at the end of an interval, for SIGUSR1, and at the end of the run.
    mutating func report(_ session: inout Session) throws

    /// What is there now is to be left out from now on (SIGUSR2). The default does nothing.
    mutating func setBaseline(_ session: inout Session) throws

    /// What stands below a report and below what was lost.
    mutating func close(_ session: inout Session, isLast: Bool) throws

    /// Asked before each wait: is there nothing left to wait for, and the last report made?
    mutating func ended(_ session: inout Session) throws -> Bool

    /// Seconds until `alarm` is to be called; nil: no need.
    var alarmDelay: Double? { get }
    mutating func alarm(_ session: inout Session) throws

    /// A child, or a process that the loop watches, has stopped or ended.
    mutating func childChanged(_ session: inout Session) throws

    /// Something was typed.
    mutating func keysTyped(_ session: inout Session) throws
}

extension ReportSource where Self: ~Copyable {
    mutating func takeIn(_ session: inout Session) throws {}
    mutating func tick(_ session: inout Session, isLast: Bool) throws { try report(&session) }
    mutating func report(_ session: inout Session) throws {}
    mutating func setBaseline(_ session: inout Session) throws {}
    mutating func close(_ session: inout Session, isLast: Bool) throws {}
    mutating func ended(_ session: inout Session) throws -> Bool { false }
    var alarmDelay: Double? { nil }
    mutating func alarm(_ session: inout Session) throws {}
    mutating func childChanged(_ session: inout Session) throws {}
    mutating func keysTyped(_ session: inout Session) throws {}
}
