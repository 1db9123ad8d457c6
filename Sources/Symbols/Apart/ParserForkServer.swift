// SPDX-License-Identifier: Apache-2.0
internal import CSandbox
internal import Glibc
internal import SystemLayer
internal import SystemPackage

/// A process of ours with a socket to it. It ends with its owner.
final class ParserChild {
    let pid: Int32
    let channel: OwnedDescriptor
    private var isReaped = false

    init(_ pid: Int32, _ channel: consuming OwnedDescriptor) {
        self.pid = pid
        self.channel = channel
    }

    deinit { end() }

    /// Has it ended? Its number is nobody's then.
    var hasEnded: Bool {
        if isReaped { return true }
        var result: Int32
        repeat { result = waitpid(pid, nil, WNOHANG) } while result < 0 && errno == EINTR
        isReaped = result != 0
        return isReaped
    }

    /// Ends it; does not wait for one that stands still in the kernel.
    func end() {
        guard !hasEnded else { return }
        kill(pid, SIGKILL)
        for _ in 0..<100 where !hasEnded { usleep(1000) }
    }
}

/// The process that those which interpret files are forked from.
///
/// It is started before a tool gives up its rights, and keeps those that take a user and a root of its own from a process:
/// one that is started later has them all the same. A fork costs a fraction of a start, and shares what it does not write to.
final class ParserForkServer {
    private let arguments: [String]
    private var child: ParserChild?

    /// To be ready and to answer.
    private static let mostWait = Duration.seconds(10)
    /// How often signals and the clock are looked at.
    private static let interval: Int32 = 40

    /// - Parameter arguments: of the command line that makes it one, the name of the program first.
    init(arguments: [String]) { self.arguments = arguments }

    /// Starts it, where there is none. It gets ready while its owner does something else.
    ///
    /// - Returns: 0, or errno.
    @discardableResult
    func start() -> Int32 {
        if let child, !child.hasEnded { return 0 }
        child = nil
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var channel: Int32 = -1
        let pid = words.withUnsafeMutableBufferPointer { words in
            // SAFETY: the list ends with NULL, and is read during the call.
            words.baseAddress.map { sandbox_spawn($0, &channel) } ?? -EINVAL
        }
        guard pid > 0 else { return -pid }
        child = ParserChild(pid, OwnedDescriptor(owning: channel))
        return 0
    }

    /// A process that shuts itself in.
    func fork() -> Result<ParserChild, Errno> {
        let first = ask()
        guard case .failure(.connectionReset) = first else { return first }
        // it was killed since it was last asked: another is asked, once
        child = nil
        return ask()
    }

    /// - Returns: `.connectionReset` where it is gone.
    private func ask() -> Result<ParserChild, Errno> {
        let code = start()
        guard code == 0, let child else { return .failure(Errno(rawValue: code)) }
        var channel: Int32 = -1
        guard sandbox_ask_for_process(child.channel.raw, &channel) == 0 else { return .failure(.connectionReset) }
        let theirs = OwnedDescriptor(owning: channel)
        let pid = answer(child)
        return pid > 0 ? .success(ParserChild(pid, theirs)) : .failure(Errno(rawValue: -pid))
    }

    /// What it says: the number of a process, or -errno; -ECONNRESET where it is gone.
    private func answer(_ child: ParserChild) -> Int32 {
        let until = ContinuousClock.now + Self.mostWait
        var answer: Int64 = 0
        while true {
            var none: Int32 = -1
            let got = sandbox_receive(child.channel.raw, &answer, MemoryLayout<Int64>.size, &none)
            if got == MemoryLayout<Int64>.size { return Int32(truncatingIfNeeded: answer) }
            guard got == -Int(EAGAIN) else { return -ECONNRESET }
            var waited = pollfd(fd: child.channel.raw, events: Int16(POLLIN), revents: 0)
            if poll(&waited, 1, Self.interval) > 0 { continue }
            // an answer that comes later would be taken for that to the next question
            if FileReading.isInterrupted || ContinuousClock.now > until {
                self.child = nil
                return -ETIMEDOUT
            }
        }
    }
}
