// SPDX-License-Identifier: Apache-2.0
internal import CSandbox
internal import Glibc
internal import SystemLayer

/// The process that interprets others' files by libraries, which a hostile file may have the better of: it is shut in
/// (CSandbox), and all that it can do is answer. This is the asker's end of it.
///
/// It is started when it is first needed or `start`ed, again when it has died, and ends with its owner. Not for use from
/// several threads at once.
public final class ParserProcess {
    /// Why there is no answer.
    enum Failure: Error {
        /// It can't be started here, or was too often.
        case missing
        /// It died of this question, or talked nonsense.
        case died
        /// It took longer than it may.
        case time
        /// The answer would be larger than it may be.
        case memory
        /// A signal waits that ends the run.
        case interrupted
    }

    /// Names it on the command line, `swiftmem parse-files`, and tells it what it is.
    public static let argument = "parse-files"

    private let server: ParserForkServer
    private let meanwhile: () -> Void
    private var running: ParserChild?
    /// Its CPU time.
    private var clock: clockid_t = -1
    /// One more with each process: what an earlier one was told is lost.
    private(set) var generation = 0
    /// Starts that are left, and when they were counted.
    private var starts = ParserProcess.mostStarts
    private var counted = ContinuousClock.now
    /// Those that died or were killed while they were asked something.
    public private(set) var deaths = 0
    /// Spent on starting.
    public private(set) var startTime = Duration.zero

    /// At once; later one in `startInterval`.
    private static let mostStarts = 8
    private static let startInterval = Duration.seconds(10)
    /// Beyond what it was allowed: it looks at its own clock, and is ended where it does not.
    private static let grace = Duration.milliseconds(500)
    /// Without any progress, of a process that does not compute: the file's server does not answer.
    private static let mostStanding = Duration.seconds(5)
    /// CPU time of its whole life, after which another takes its place.
    private static let mostTime = Duration.seconds(60)
    /// How often signals and clocks are looked at.
    private static let interval: Int32 = 40

    /// - Parameter meanwhile: done again and again while an answer is waited for.
    init(_ server: ParserForkServer, meanwhile: @escaping () -> Void) {
        self.server = server
        self.meanwhile = meanwhile
    }

    // MARK: its life

    /// Its number; nil where there is none now.
    public var pid: Int32? { running?.pid }

    /// Starts it, where there is none. It gets ready while its owner does something else.
    ///
    /// - Returns: false where that is not possible.
    @discardableResult
    public func start() -> Bool {
        if let running {
            if !running.hasEnded, (Self.time(clock) ?? .zero) < Self.mostTime { return true }
            // it was ended between two questions, or is old: no file is to blame
            rest()
        }
        let now = ContinuousClock.now
        while starts < Self.mostStarts, counted.duration(to: now) >= Self.startInterval {
            starts += 1
            counted += Self.startInterval
        }
        if starts == Self.mostStarts { counted = now }
        guard starts > 0 else { return false }
        starts -= 1
        defer { startTime += now.duration(to: .now) }
        guard case .success(let child) = server.fork() else { return false }
        running = child
        if clock_getcpuclockid(child.pid, &clock) != 0 { clock = -1 }
        generation += 1
        return true
    }

    /// Ends it; it is started again when it is needed. Costs none of its starts.
    func rest() {
        if running != nil { starts = min(starts + 1, Self.mostStarts) }
        end()
    }

    private func end() { running = nil }

    /// CPU time that a process has taken.
    private static func time(_ clock: clockid_t) -> Duration? {
        var time = timespec()
        guard clock_gettime(clock, &time) == 0 else { return nil }
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    // MARK: questions

    /// The answer to a question, and the CPU time that it took.
    ///
    /// - Parameters:
    ///   - file: a descriptor that it is to read; -1: none.
    ///   - allowed: CPU time.
    ///   - room: asked with the number of bytes before an answer is taken in: may it have so many?
    /// - Throws: `Failure`; the process is ended by all but `missing`.
    func ask(
        _ question: ParserQuestion, _ message: [UInt8], file: Int32 = -1, allowed: Duration, room: (Int) -> Bool
    ) throws(Failure) -> (answer: [UInt8], took: Duration) {
        guard start(), let running else { throw .missing }
        let before = Self.time(clock) ?? .zero
        do throws(Failure) {
            let answer = try exchange(question, message, file, running, allowed: allowed, before: before, room: room)
            return (answer, (Self.time(clock) ?? before) - before)
        } catch {
            if case .died = error { deaths += 1 }
            end()
            throw error
        }
    }

    private func exchange(
        _ question: ParserQuestion, _ message: [UInt8], _ file: Int32, _ running: ParserChild, allowed: Duration,
        before: Duration, room: (Int) -> Bool
    ) throws(Failure) -> [UInt8] {
        var watch = Watch(running.channel.raw, clock: clock, until: before + allowed + Self.grace, before, meanwhile)
        let header = MessageHeader(
            question: question.rawValue, length: UInt64(message.count), allowed: Self.nanoseconds(allowed))
        try header.before(message).withUnsafeBytes { watch.sending($0, with: file) }.get()
        var answer = MessageHeader(question: 0, length: 0)
        try withUnsafeMutableBytes(of: &answer) { watch.filling($0) }.get()
        guard answer.magic == MessageHeader.magic, answer.question == question.rawValue,
            let length = Int(exactly: answer.length)
        else { throw .died }
        guard length <= 1 << 30, room(length) else { throw .memory }
        var bytes = [UInt8](repeating: 0, count: length)
        try bytes.withUnsafeMutableBytes { watch.filling($0) }.get()
        return bytes
    }

    private static func nanoseconds(_ duration: Duration) -> UInt64 {
        let (seconds, attoseconds) = duration.components
        return UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, attoseconds / 1_000_000_000))
    }

    /// Waits for one answer, and looks at the clocks and the signals meanwhile.
    private struct Watch {
        private let channel: Int32
        private let clock: clockid_t
        private let until: Duration
        private let meanwhile: () -> Void
        private var lastTime: Duration
        private var moved = ContinuousClock.now
        private var looked = ContinuousClock.now

        init(_ channel: Int32, clock: clockid_t, until: Duration, _ now: Duration, _ meanwhile: @escaping () -> Void) {
            (self.channel, self.clock, self.until, lastTime) = (channel, clock, until, now)
            self.meanwhile = meanwhile
        }

        // Results, for an array's bytes are lent to what throws any error or none.

        mutating func sending(_ bytes: UnsafeRawBufferPointer, with file: Int32) -> Result<Void, Failure> {
            Result { () throws(Failure) in try send(bytes, with: file) }
        }

        mutating func filling(_ bytes: UnsafeMutableRawBufferPointer) -> Result<Void, Failure> {
            Result { () throws(Failure) in try fill(bytes) }
        }

        private mutating func send(_ bytes: UnsafeRawBufferPointer, with file: Int32) throws(Failure) {
            guard let start = bytes.baseAddress else { return }
            var sent = 0
            while sent < bytes.count {
                let count = sandbox_send(channel, start + sent, bytes.count - sent, sent == 0 ? file : -1)
                if count > 0 { sent += count }
                try look(count, POLLOUT)
            }
        }

        private mutating func fill(_ bytes: UnsafeMutableRawBufferPointer) throws(Failure) {
            guard let start = bytes.baseAddress else { return }
            var got = 0
            while got < bytes.count {
                var descriptor: Int32 = -1
                let count = sandbox_receive(channel, start + got, bytes.count - got, &descriptor)
                // it has none to give
                if descriptor >= 0 { close(descriptor) }
                if count == 0 { throw .died }
                if count > 0 { got += count }
                try look(count, POLLIN)
            }
        }

        /// After a call that gave `count`: waits where nothing moved.
        private mutating func look(_ count: Int, _ event: Int32) throws(Failure) {
            guard count > 0 || count == -Int(EAGAIN) else { throw .died }
            if count < 0 {
                var waited = pollfd(fd: channel, events: Int16(event), revents: 0)
                guard poll(&waited, 1, ParserProcess.interval) == 0 else { return }
            } else {
                moved = .now
            }
            guard looked.duration(to: .now) >= .milliseconds(Int64(ParserProcess.interval)) else { return }
            looked = .now
            meanwhile()
            if FileReading.isInterrupted { throw .interrupted }
            guard let time = ParserProcess.time(clock), time < until else { throw .time }
            if time > lastTime { (lastTime, moved) = (time, .now) }
            if moved.duration(to: .now) > ParserProcess.mostStanding { throw .time }
        }
    }
}
