// SPDX-License-Identifier: Apache-2.0

/// A record of a memleak recording; records are in the order of time.
public enum LeakRecord: Hashable, Sendable {
    /// The run's settings: the first record.
    case run(LeakRun)
    /// Tracing has begun.
    case began(LeakBegin)
    /// A file whose functions are traced from now on.
    case hooked(LeakHooked)
    /// A captured stack, before the first look or report that refers to it; written again when more frames have names.
    case site(AllocationSite, LeakSite)
    case look(LeakLook)
    /// A report on the last look, without its stacks; and the names of processes.
    case report(MemLeakReport, names: [UInt32: String])
    /// A process's memory is gone.
    case gone(UInt32)
    /// A line for standard error.
    case note(String)
    /// The sampling rate has changed.
    case sampling(LeakSampling)
    /// A baseline was set at the last look (its time, CLOCK_MONOTONIC): older allocations are left out from now on.
    case baseline(UInt64)
    /// The run has ended.
    ///
    /// - Parameter isFull: the recording has reached its size; the run went on.
    case end(isFull: Bool)

    /// The kind's number in the file.
    var kind: UInt8 {
        switch self {
        case .run: 1
        case .began: 2
        case .hooked: 3
        case .site: 4
        case .look: 5
        case .report: 6
        case .gone: 7
        case .note: 8
        case .end: 9
        case .sampling: 10
        case .baseline: 11
        }
    }
}

/// The head of a run's output.
public struct LeakBegin: Hashable, Sendable {
    public var time: WallTime
    public var version: String
    public var kernel: String
    public var pageBytes: Int
    /// Each ladder with the rung in use; nil where none is.
    public var rungs: [Rung]
    /// The head of text output.
    public var header: [String]

    public struct Rung: Hashable, Sendable {
        public let ladder: String
        public let rung: String?

        public init(ladder: String, rung: String?) { (self.ladder, self.rung) = (ladder, rung) }
    }

    public init(
        time: WallTime, version: String, kernel: String, pageBytes: Int, rungs: [Rung], header: [String]
    ) {
        (self.time, self.version, self.kernel) = (time, version, kernel)
        (self.pageBytes, self.rungs, self.header) = (pageBytes, rungs, header)
    }

    public var json: JSONLine {
        StartJSON.line(
            time: time, tool: "memleak", version: version, kernel: kernel, pageBytes: pageBytes,
            rungs: rungs.map { ($0.ladder, $0.rung) })
    }
}

/// A file whose functions are traced.
public struct LeakHooked: Hashable, Sendable {
    public var file: String
    public var functions: [String]
    /// Functions that the file lacks.
    public var missing: [String]
    /// The line of text output.
    public var text: String

    public init(file: String, functions: [String], missing: [String], text: String) {
        (self.file, self.functions, self.missing, self.text) = (file, functions, missing, text)
    }

    public var json: JSONLine { MemLeakJSON.hooked(file: file, functions: functions, missing: missing) }
}

/// A change of the rate at which the kernel's allocations are sampled (`--max-overhead`).
public struct LeakSampling: Hashable, Sendable {
    public var time: WallTime
    /// The share of the CPUs' time that the programs took.
    public var overheadPercent: Double
    /// One allocation in `rate` is recorded.
    public var rate: UInt64
    /// false: no rate brings the overhead below the limit.
    public var isMet: Bool
    /// The rate stays as it is.
    public var isSame: Bool
    /// More allocations than before are recorded.
    public var isMore: Bool

    public init(time: WallTime, overheadPercent: Double, rate: UInt64, before: UInt64, isMet: Bool) {
        (self.time, self.overheadPercent, self.rate, self.isMet) = (time, overheadPercent, rate, isMet)
        (isSame, isMore) = (rate == before, rate < before)
    }

    public var json: JSONLine {
        MemLeakJSON.sampling(time: time, overheadPercent: overheadPercent, rate: rate, isMet: isMet)
    }

    public var text: String {
        let what =
            if !isMet {
                "the limit can't be met, for frees are seen whatever the rate; 1 allocation in \(rate) is recorded"
            } else if isSame {
                "below the limit again"
            } else {
                (isMore ? "again" : "from now on") + " 1 allocation in \(rate) is recorded"
            }
        return "the programs took \(overheadPercent) % of the CPUs' time: \(what) (--max-overhead)"
    }
}
