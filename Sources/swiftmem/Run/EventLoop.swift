// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import LibBPF
internal import SystemLayer

/// What woke a run.
enum Wakeup: Equatable {
    /// Records wait in the ring buffer.
    case records
    /// An interval is over.
    case tick
    /// SIGUSR1: a report is wanted now.
    case reportWanted
    /// SIGUSR2: what is there now is to be left out from now on.
    case baselineWanted
    /// Something was typed.
    case keys
    /// The terminal has another size.
    case resized
    /// SIGCHLD, or a process that is watched: it stopped or ended.
    case childChanged
    /// The time that `wake(after:)` set is over.
    case alarm
    /// Time to end: a signal, the duration, or a reader that went away.
    case stop
    /// Nobody reads the output any more.
    case outputClosed

    /// Is it a moment to report what the interval brought?
    var endsInterval: Bool { self == .tick || self == .reportWanted || self == .stop }
}

/// One thread's wait for the ring, the timers, the signals and the reader of the output.
struct EventLoop: ~Copyable {
    private let epoll: OwnedDescriptor
    private let signals: OwnedDescriptor
    private let ticks: OwnedDescriptor
    private let deadline: OwnedDescriptor
    private let alarm: OwnedDescriptor
    private var pending: [Wakeup]

    private enum Source {
        static let records: UInt64 = 0, signals: UInt64 = 1, ticks: UInt64 = 2
        static let deadline: UInt64 = 3, output: UInt64 = 4, keys: UInt64 = 5, alarm: UInt64 = 6
        static let process: UInt64 = 7
    }

    /// - Parameters:
    ///   - interval: seconds between ticks; nil: none.
    ///   - duration: seconds to the stop; nil: none.
    ///   - terminal: wakes for keys and for another size of the window too.
    init(
        interval: Double? = nil, duration: Double? = nil, terminal: Bool = false
    ) throws(Failure) {
        let epoll = OwnedDescriptor(owning: try Self.opened("epoll_create1", epoll_create1(0x80000)))
        var set = Signals.set()
        if terminal {
            sigaddset(&set, SIGWINCH)
            sigprocmask(SIG_BLOCK, &set, nil)
        }
        let signals = OwnedDescriptor(
            owning: try Self.opened("signalfd", signalfd(-1, &set, 0x80800)))
        let ticks = try Self.timer(interval, repeats: true)
        let deadline = try Self.timer(duration, repeats: false)
        let alarm = try Self.timer(nil, repeats: false)
        try Self.watch(epoll.raw, signals.raw, Source.signals)
        try Self.watch(epoll.raw, ticks.raw, Source.ticks)
        try Self.watch(epoll.raw, deadline.raw, Source.deadline)
        try Self.watch(epoll.raw, alarm.raw, Source.alarm)
        // A pipe's reader that goes away is an event nobody has to ask for; a
        // plain file can't be watched (EPERM), and needs no watching.
        var event = epoll_event(events: 0, data: epoll_data(u64: Source.output))
        epoll_ctl(epoll.raw, EPOLL_CTL_ADD, STDOUT_FILENO, &event)
        if terminal { try Self.watch(epoll.raw, STDIN_FILENO, Source.keys) }
        self.epoll = epoll
        self.signals = signals
        self.ticks = ticks
        self.deadline = deadline
        self.alarm = alarm
        pending = []
    }

    /// Wakes for a ring buffer's records.
    func watchRecords(_ descriptor: Int32) throws(Failure) {
        try Self.watch(epoll.raw, descriptor, Source.records)
    }

    /// Wakes, once, when a process ends.
    ///
    /// - Parameter descriptor: its pidfd; closed by the caller, behind the loop's end.
    func watchProcess(_ descriptor: Int32) throws(Failure) {
        var event = epoll_event(
            events: EPOLLIN.rawValue | EPOLLONESHOT.rawValue, data: epoll_data(u64: Source.process))
        guard epoll_ctl(epoll.raw, EPOLL_CTL_ADD, descriptor, &event) == 0 else { throw .system("epoll_ctl") }
    }

    /// Wakes once more after so many seconds; a later call replaces an earlier one.
    func wake(after seconds: Double) throws(Failure) {
        try Self.set(alarm.raw, seconds, repeats: false)
    }

    /// The next thing to do; records come before the tick that shall report them.
    mutating func next() throws(Failure) -> Wakeup {
        while pending.isEmpty {
            var events = [epoll_event](repeating: epoll_event(), count: 8)
            let count = epoll_wait(epoll.raw, &events, Int32(events.count), -1)
            if count < 0 {
                guard errno == EINTR else { throw .system("epoll_wait") }
                continue
            }
            let sources = events.prefix(Int(count)).map(\.data.u64).sorted()
            for source in sources {
                switch source {
                case Source.records: pending.append(.records)
                case Source.signals: pending.append(readSignal())
                case Source.ticks:
                    drain(ticks.raw)
                    pending.append(.tick)
                case Source.keys: pending.append(.keys)
                case Source.process: pending.append(.childChanged)
                case Source.deadline: pending.append(.stop)
                case Source.alarm:
                    drain(alarm.raw)
                    pending.append(.alarm)
                default: pending.append(.outputClosed)
                }
            }
        }
        return pending.removeFirst()
    }

    private static func watch(
        _ epoll: Int32, _ descriptor: Int32, _ source: UInt64
    ) throws(Failure) {
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data(u64: source))
        guard epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
            throw .system("epoll_ctl")
        }
    }

    private func readSignal() -> Wakeup {
        var info = signalfd_siginfo()
        let count = read(signals.raw, &info, MemoryLayout<signalfd_siginfo>.size)
        guard count > 0 else { return .stop }
        return switch Int32(info.ssi_signo) {
        case SIGUSR1: .reportWanted
        case SIGUSR2: .baselineWanted
        case SIGWINCH: .resized
        case SIGCHLD: .childChanged
        default: .stop
        }
    }

    private func drain(_ timer: Int32) {
        var expirations: UInt64 = 0
        _ = read(timer, &expirations, 8)
    }

    private static func timer(_ seconds: Double?, repeats: Bool) throws(Failure) -> OwnedDescriptor {
        let timer = OwnedDescriptor(
            owning: try opened("timerfd_create", timerfd_create(CLOCK_MONOTONIC, 0x80800)))
        if let seconds { try set(timer.raw, seconds, repeats: repeats) }
        return timer
    }

    private static func set(_ timer: Int32, _ seconds: Double, repeats: Bool) throws(Failure) {
        let whole = seconds.rounded(.down)
        let time = timespec(
            tv_sec: Int(whole), tv_nsec: max(whole == 0 ? 1 : 0, Int((seconds - whole) * 1e9)))
        var setting = itimerspec(it_interval: repeats ? time : timespec(), it_value: time)
        guard timerfd_settime(timer, 0, &setting, nil) == 0 else {
            throw .system("timerfd_settime")
        }
    }

    private static func opened(_ call: String, _ descriptor: Int32) throws(Failure) -> Int32 {
        guard descriptor >= 0 else { throw .system(call) }
        return descriptor
    }
}
