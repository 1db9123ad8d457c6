// SPDX-License-Identifier: Apache-2.0
public import TraceRecords

/// One function of a stack, named.
public struct MemLeakFrame: Hashable, Sendable {
    public let address: UInt64
    public let symbol: String?
    public let offset: UInt64
    /// The file's whole path.
    public let module: String?
    public let file: String?
    public let line: Int?

    public init(
        address: UInt64, symbol: String? = nil, offset: UInt64 = 0, module: String? = nil,
        file: String? = nil, line: Int? = nil
    ) {
        self.address = address
        self.symbol = symbol
        self.offset = offset
        self.module = module
        self.file = file
        self.line = line
    }
}

/// One line of a report: a site and its stack.
public struct MemLeakStack: Hashable, Sendable {
    /// nil: the kernel's.
    public let pid: UInt32?
    public let sum: OutstandingSum
    /// Innermost first; nil: the stack was lost.
    public let frames: [MemLeakFrame]?
    /// What of the kernel it is; nil: a process's, or lost with the stack.
    public let kernel: KernelMemory?
    /// Where the walk ended; nil: by frame pointers, which don't say.
    public let end: StackEnd?

    public init(
        pid: UInt32?, sum: OutstandingSum, frames: [MemLeakFrame]?, kernel: KernelMemory? = nil,
        end: StackEnd? = nil
    ) {
        self.pid = pid
        self.sum = sum
        self.frames = frames
        self.kernel = kernel
        self.end = end
    }
}

/// One report.
public struct MemLeakReport: Hashable, Sendable {
    public let time: WallTime
    /// CLOCK_MONOTONIC, nanoseconds.
    public let monotonic: UInt64
    /// Largest first.
    public let stacks: [MemLeakStack]
    public let total: OutstandingSum
    /// Sites in all, shown or not.
    public let siteCount: Int
    public let blocks: [OutstandingBlock]
    public let counters: MemLeakCounters
    public let losses: Losses
    public let sampleRate: UInt64
    /// Bytes between samples on average, where allocations are sampled by their bytes.
    public let sampleBytes: UInt64?
    /// Of the kernel's allocations only.
    public let kernel: KernelLeakCounters?
    /// What was dropped since the start with processes that ended or called exec.
    public let gone: OutstandingSum

    public init(
        time: WallTime, monotonic: UInt64, stacks: [MemLeakStack], total: OutstandingSum,
        siteCount: Int, blocks: [OutstandingBlock], counters: MemLeakCounters, losses: Losses,
        sampleRate: UInt64, sampleBytes: UInt64? = nil, kernel: KernelLeakCounters? = nil,
        gone: OutstandingSum = OutstandingSum()
    ) {
        self.gone = gone
        self.time = time
        self.monotonic = monotonic
        self.stacks = stacks
        self.total = total
        self.siteCount = siteCount
        self.blocks = blocks
        self.counters = counters
        self.losses = losses
        self.sampleRate = sampleRate
        self.sampleBytes = sampleBytes
        self.kernel = kernel
    }
}

/// memleak's text, with bcc's words.
public struct MemLeakText: Sendable {
    /// `-T`: for the title.
    public let top: Int
    /// bcc shows addresses of frames except with `--combined-only`.
    public let showsAddresses: Bool
    /// Processes are named where there may be several.
    public let showsPIDs: Bool

    public init(top: Int, showsAddresses: Bool = true, showsPIDs: Bool = false) {
        self.top = top
        self.showsAddresses = showsAddresses
        self.showsPIDs = showsPIDs
    }

    public static func attaching(to target: String) -> String {
        "Attaching to \(target), Ctrl+C to quit."
    }

    /// The report as lines: the blocks asked for, then the stacks, the largest last.
    public func lines(_ report: MemLeakReport) -> [String] {
        var lines = ["[\(report.time.clockTime)] Top \(top) stacks with outstanding allocations:"]
        for block in report.blocks.sorted(by: { ($0.bytes, $0.address) < ($1.bytes, $1.address) }) {
            lines.append("\taddr = \(String(block.address, radix: 16)) size = \(block.bytes)")
        }
        for stack in report.stacks.reversed() {
            lines.append(
                "\t\(stack.sum.bytes) bytes in \(stack.sum.count) allocations from stack"
                    + (showsPIDs ? stack.pid.map { " of pid \($0)" } ?? "" : "") + (stack.kernel?.text ?? ""))
            guard let frames = stack.frames else {
                lines.append("\t\tstack information lost")
                continue
            }
            lines += frames.map { "\t\t" + text($0) }
            if let words = stack.end?.words { lines.append("\t\t[\(words)]") }
        }
        return lines
    }

    /// What the report could not see; nothing of what is zero.
    public func accounting(_ report: MemLeakReport) -> [String] {
        var lines: [String] = []
        let counters = report.counters
        if report.sampleRate > 1 {
            lines.append(
                "estimated: 1 allocation in \(report.sampleRate) sampled, "
                    + "\(counters.sampledOut) passed over")
        }
        if let distance = report.sampleBytes {
            lines.append(
                "estimated: a sample every \(distance) bytes, \(counters.sampledOut) allocations passed over")
        }
        if let error = report.total.bytesError, let number = report.total.countError {
            lines.append(
                "outstanding: \(report.total.bytes) ± \(error) bytes in \(report.total.count) ± \(number) allocations"
                    + " (standard errors)")
        }
        if counters.unmatchedFrees > 0 && report.sampleRate <= 1 && report.sampleBytes == nil
            && counters.filteredOut == 0
        {
            lines.append(
                "\(counters.unmatchedFrees) frees without an allocation (made before the trace"
                    + (report.kernel == nil ? ")" : ", or in bulk)"))
        }
        lines += report.kernel?.lines ?? []
        if counters.unseenNew > 0 {
            lines.append(
                "\(counters.unseenNew) calls of operator new not recorded: their failure must stay catchable"
            )
        }
        if report.gone.count > 0 {
            lines.append(
                "\(report.gone.bytes) bytes in \(report.gone.count) allocations gone with processes "
                    + "that ended or called exec")
        }
        if counters.abandoned > 0 {
            lines.append("\(counters.abandoned) calls left without returning")
        }
        return lines
    }

    func text(_ frame: MemLeakFrame) -> String {
        let digits = String(frame.address, radix: 16)
        let address = "0x" + String(repeating: "0", count: max(0, 16 - digits.count)) + digits + "\t"
        let name = frame.symbol.map { "\($0)+0x\(String(frame.offset, radix: 16))" } ?? "[unknown]"
        let module = frame.module.map { path in
            let last = path.split(separator: "/").last.map(String.init) ?? path
            return last.hasPrefix("[") ? " \(last)" : " [\(last)]"
        }
        let line = frame.file.map { " \($0):\(frame.line ?? 0)" } ?? ""
        return (showsAddresses ? address : "") + Printable.text(name + (module ?? "") + line)
    }
}

/// memleak's JSON; Docs/tools/memleak.md has the schema.
public enum MemLeakJSON {
    /// An object a stack, the largest first, then the summary.
    public static func lines(_ report: MemLeakReport) -> [JSONLine] {
        report.stacks.map { line($0, report) } + [summary(report)]
    }

    static func line(_ stack: MemLeakStack, _ report: MemLeakReport) -> JSONLine {
        var line = JSONLine(type: "memleak")
        line.add("time", report.time.rfc3339)
        line.add("pid", stack.pid)
        line.add("bytes", stack.sum.bytes)
        line.add("count", stack.sum.count)
        line.add("oldest_ns", age(stack.sum, report))
        line.add("estimated", stack.sum.isEstimated)
        line.add("bytes_error", stack.sum.bytesError)
        line.add("count_error", stack.sum.countError)
        line.add("frames", stack.frames.map { frames in frames.map(object) })
        line.add("stack_end", stack.end?.rawValue)
        if stack.pid == nil {
            line.add("kind", stack.kernel?.kind.rawValue)
            line.add("cache", stack.kernel?.cache)
            line.add("false_leaks_possible", stack.kernel?.falseLeaksPossible)
        }
        return line
    }

    static func summary(_ report: MemLeakReport) -> JSONLine {
        var line = JSONLine(type: "memleak_summary")
        line.add("time", report.time.rfc3339)
        line.add("outstanding_bytes", report.total.bytes)
        line.add("outstanding_count", report.total.count)
        line.add("oldest_ns", age(report.total, report))
        line.add("estimated", report.total.isEstimated)
        line.add("bytes_error", report.total.bytesError)
        line.add("count_error", report.total.countError)
        line.add("stacks", report.siteCount)
        line.add("stacks_shown", report.stacks.count)
        line.add("sample_rate", report.sampleRate)
        line.add("sample_bytes", report.sampleBytes)
        let counters = report.counters
        line.add("allocations", counters.allocations)
        line.add("frees", counters.frees)
        line.add("unmatched_frees", counters.unmatchedFrees)
        line.add("sampled_out", counters.sampledOut)
        line.add("filtered_out", counters.filteredOut)
        line.add("failed_calls", counters.failed)
        line.add("unseen_new_calls", counters.unseenNew)
        line.add("abandoned_calls", counters.abandoned)
        line.add("gone_bytes", report.gone.bytes)
        line.add("gone_count", report.gone.count)
        report.kernel?.add(to: &line)
        line.add("losses", report.losses.json)
        if !report.blocks.isEmpty {
            line.add(
                "blocks",
                report.blocks.map { block in
                    var object = JSONLine()
                    object.add("address", block.address)
                    object.add("bytes", block.bytes)
                    return object
                })
        }
        return line
    }

    private static func age(_ sum: OutstandingSum, _ report: MemLeakReport) -> UInt64? {
        sum.oldestTime.map { report.monotonic > $0 ? report.monotonic - $0 : 0 }
    }

    private static func object(_ frame: MemLeakFrame) -> JSONLine {
        var line = JSONLine()
        line.add("address", frame.address)
        line.add("symbol", frame.symbol)
        line.add("offset", frame.symbol == nil ? nil : frame.offset)
        line.add("module", frame.module)
        line.add("file", frame.file)
        line.add("line", frame.line)
        return line
    }
}

/// One call, for `-t`: bcc's words behind who called.
public struct MemLeakCall: Sendable {
    private let event: memleak_event

    public init(_ event: memleak_event) { self.event = event }

    private var isFree: Bool {
        event.op == MEMLEAK_FREE.rawValue || event.op == MEMLEAK_MUNMAP.rawValue
    }

    /// The thread's name, fit for a terminal.
    public var comm: String { Printable.text(fixedText(event.comm)) }

    public var text: String {
        let address = String(isFree ? event.address : event.result, radix: 16)
        let what =
            isFree
            ? "free entered, address = \(address), size = \(event.length)"
            : "alloc exited, size = \(size), result = \(address)"
        return "\(WallTime(monotonic: event.time_ns).clockTime) "
            + "\(comm.left(16)) \(String(event.tid).left(7)) \(what)"
    }

    private var size: UInt64 {
        event.op == MEMLEAK_MREMAP.rawValue ? event.new_length : event.length
    }

    public var json: JSONLine {
        var line = JSONLine(type: "memleak_call")
        line.add("time", WallTime(monotonic: event.time_ns).rfc3339)
        line.add("call", isFree ? "free" : "alloc")
        line.add("pid", event.pid)
        line.add("tid", event.tid)
        line.add("comm", fixedText(event.comm))
        line.add("address", isFree ? event.address : event.result)
        line.add("bytes", size)
        line.add("recorded", event.recorded != 0)
        return line
    }
}
