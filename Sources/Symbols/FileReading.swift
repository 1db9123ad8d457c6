// SPDX-License-Identifier: Apache-2.0
package import Glibc
public import SystemPackage

/// What it costs a run to interpret the files of its targets, and what was left out so that it does not cost more.
///
/// Whoever made a file chose what is in it: a few kilobytes may promise gigabytes of tables, or hours of work. A class,
/// for all readers of a run share its time and memory; not for use from several threads at once.
public final class FileReading {
    /// The bounds.
    public struct Limits: Hashable, Sendable {
        /// CPU time for one file, whatever it is read for.
        public var fileTime = Duration.seconds(2)
        /// CPU time at the start for all files of one user on one file system.
        public var sourceTime = Duration.seconds(4)
        /// CPU time at the start for all files but the system's own.
        public var runTime = Duration.seconds(10)
        /// The part of the time that passes which comes to both.
        public var share = 0.05
        /// Bytes that all files together may take beyond what each has on disk.
        public var sharedBytes = 40 << 20
        /// Bytes that all files together may take.
        public var mostBytes = 1 << 30

        public init() {}
    }

    /// What a file was read for.
    public enum Part: String, Hashable, Sendable, CaseIterable {
        case allocators, unwinding, names, lines

        /// What is missing without it, or without some of its functions.
        public func words(ofAll: Bool) -> String {
            switch self {
            case .allocators: ofAll ? "what it allocates is not recorded" : "what they allocate is not recorded"
            case .unwinding: "its frames are walked by frame pointers"
            case .names: "its functions have no names"
            case .lines: "its source lines are not shown"
            }
        }
    }

    /// Why it was left out.
    public enum Reason: Hashable, Sendable {
        case time, memory
        /// A user's program serves it, and may never answer.
        case served
        /// Functions of the names looked for.
        case tooMany
        /// The process that interprets files died of it, or there is none.
        case parser
        /// errno
        case unreadable(Int32)
        /// By the kernel, with its errno: no probe can be placed there.
        case refused(Int32)

        /// As JSON has it.
        public var key: String {
            switch self {
            case .time: "time"
            case .memory: "memory"
            case .served: "served"
            case .tooMany: "too_many"
            case .parser: "parser"
            case .unreadable: "unreadable"
            case .refused: "refused"
            }
        }

        public var words: String {
            switch self {
            case .time: "it takes too long to read"
            case .memory: "it would take too much memory"
            case .served: "a user's program serves its file system, or did, and may never answer"
            case .tooMany: "it has more such functions than any allocator"
            case .parser: "the process that is to interpret it died of it, or could not be started"
            case .unreadable(let code): "it can't be opened: \(String(cString: strerror(code)))"
            case .refused(let code): "the kernel refuses the probe: \(String(cString: strerror(code)))"
            }
        }
    }

    /// A file, or a part of it, that was left out.
    public struct Omission: Hashable, Sendable {
        public let path: FilePath
        public let part: Part
        public let reason: Reason
        /// Functions; empty: the whole file.
        public let functions: [String]
    }

    /// Those that are kept; the others are counted alone.
    public static let mostOmissions = 64

    public let limits: Limits
    package let servers = FileServers()
    /// Interpret files apart from this process; nil: this one does.
    package let parsers: ParserPool?
    /// Done again and again while an answer of theirs is waited for: what must not wait that long.
    public var meanwhile: () -> Void {
        get { parsers?.meanwhile ?? {} }
        set { parsers?.meanwhile = newValue }
    }
    /// Each once, in the order of finding.
    public private(set) var omissions: [Omission] = []
    /// All of them.
    public private(set) var omissionCount: UInt64 = 0
    private var known: Set<Omission> = []

    private let began = ContinuousClock.now
    /// By file, where one took long enough to matter.
    private var spent: [FileIdentity: Duration] = [:]
    private var spentBySource: [FileSource: Duration] = [:]
    private var total = Duration.zero
    private var current: (began: Duration, allowed: Duration)?
    /// What another process has spent on the current file.
    private var spentApart = Duration.zero
    private(set) var bytes = 0
    private(set) var sharedBytes = 0

    /// - Parameter parsers: interpret files apart from this process; nil: this one does.
    public init(limits: Limits = Limits(), parsers: ParserPool? = nil) {
        self.limits = limits
        self.parsers = parsers
    }

    // MARK: omissions

    /// A file was left out, or some of its functions; said once.
    public func omit(_ path: FilePath, _ part: Part, _ reason: Reason, functions: [String] = []) {
        let omission = Omission(path: path, part: part, reason: reason, functions: functions)
        // An interrupted run ends: what it leaves out is no fault of the files.
        guard !Self.isInterrupted, known.count < 1 << 16, known.insert(omission).inserted else { return }
        omissionCount += 1
        if omissions.count < Self.mostOmissions { omissions.append(omission) }
    }

    /// The same, where reading ended in this error; a file that is no ELF file is none.
    public func omit(_ path: FilePath, _ part: Part, _ error: SymbolError) {
        switch error {
        case .leftOut(_, let reason): omit(path, part, reason)
        // it is gone
        case .system(_, _, let code) where code == ENOENT || code == ESRCH: break
        case .system(_, _, let code): omit(path, part, .unreadable(code))
        default: break
        }
    }

    // MARK: time

    /// A signal that ends the run waits to be taken in.
    package static var isInterrupted: Bool {
        var pending = sigset_t()
        return sigpending(&pending) == 0 && [SIGINT, SIGTERM, SIGHUP].contains { sigismember(&pending, $0) == 1 }
    }

    private static var now: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    /// Runs `body` within the time of a file.
    ///
    /// - Throws: what `body` throws.
    package func timed<Value>(_ file: FileIdentity?, _ body: () throws(SymbolError) -> Value) throws(SymbolError)
        -> Value
    {
        guard current == nil, let file else { return try body() }
        let source = FileSource(file)
        var allowed = limits.fileTime - (spent[file] ?? .zero)
        if !source.isSystem {
            let more = began.duration(to: .now) * limits.share
            let ofSource = limits.sourceTime - (spentBySource[source] ?? .zero)
            allowed = min(allowed, ofSource + more, limits.runTime - total + more)
        }
        let start = Self.now
        current = (start, allowed)
        spentApart = .zero
        defer {
            let took = Self.now - start + spentApart
            if took > .milliseconds(10) { spent[file, default: .zero] += took }
            if !source.isSystem {
                spentBySource[source, default: .zero] += took
                total += took
            }
            current = nil
        }
        return try body()
    }

    /// The same of the file at a path, of this process's own making.
    ///
    /// - Throws: what `body` throws. A file that can't be looked at is not bounded, and is no error here.
    public func timed<Value>(path: FilePath, _ body: () throws(SymbolError) -> Value) throws(SymbolError) -> Value {
        try timed(try? FileIdentity(path: path), body)
    }

    /// Is there no time left for this file, or for the run?
    package var isSpent: Bool {
        guard let current else { return Self.isInterrupted }
        return Self.now - current.began + spentApart >= current.allowed || Self.isInterrupted
    }

    /// What is left of it for the current file; nil: no file is being read.
    package var timeLeft: Duration? {
        current.map { max(.zero, $0.allowed - (Self.now - $0.began) - spentApart) }
    }

    /// Another process has spent so much on the current file.
    package func charge(_ time: Duration) { spentApart += time }

    /// Runs `body` within a time, whichever file it reads.
    ///
    /// - Throws: what `body` throws.
    package func within<Value>(
        _ allowed: Duration, _ body: () throws(SymbolError) -> Value
    ) throws(SymbolError) -> Value {
        current = (Self.now, allowed)
        spentApart = .zero
        defer { current = nil }
        return try body()
    }

    /// Asks once in 1024 steps.
    package func allows(step: Int) -> Bool { step & 1023 != 0 || !isSpent }

    // MARK: memory

    fileprivate func take(_ count: Int, shared: Int) -> Bool {
        guard bytes + count <= limits.mostBytes, sharedBytes + shared <= limits.sharedBytes else { return false }
        bytes += count
        sharedBytes += shared
        return true
    }

    fileprivate func give(_ count: Int, shared: Int) {
        bytes -= count
        sharedBytes -= shared
    }
}

/// The memory of one file's tables: as much as the file has on disk, and a part of what all files share.
package final class FileShare {
    package let reading: FileReading
    package let onDisk: Int
    private var taken = 0

    /// - Parameter onDisk: bytes; a hole has none.
    package init(_ reading: FileReading, onDisk: Int) {
        self.reading = reading
        self.onDisk = onDisk
    }

    package convenience init(_ reading: FileReading, _ status: stat) {
        self.init(reading, onDisk: min(Int(status.st_size), Int(status.st_blocks) * 512))
    }

    deinit { give(taken) }

    private func shared(_ count: Int) -> Int { max(0, count - onDisk) }

    /// False where there is not so much: nothing is taken then.
    package func take(_ count: Int) -> Bool {
        guard count >= 0, count <= Int(Int32.max) * 2,
            reading.take(count, shared: shared(taken + count) - shared(taken))
        else { return false }
        taken += count
        return true
    }

    /// What was taken is free again.
    package func give(_ count: Int) {
        reading.give(count, shared: shared(taken) - shared(taken - count))
        taken -= count
    }
}
