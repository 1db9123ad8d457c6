// SPDX-License-Identifier: Apache-2.0

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

    /// The report as lines: the blocks asked for, then the stacks, what comes first in their order last.
    public func lines(_ report: MemLeakReport) -> [String] {
        var lines = ["[\(report.time.clockTime)] Top \(top) stacks with outstanding allocations:"]
        for block in report.blocks.sorted(by: { ($0.bytes, $0.address) < ($1.bytes, $1.address) }) {
            lines.append("\taddr = \(String(block.address, radix: 16)) size = \(block.bytes)")
        }
        return lines + report.stacks.reversed().flatMap { self.lines($0) }
    }

    /// A stack's.
    func lines(_ stack: MemLeakStack) -> [String] {
        var lines = [
            "\t\(stack.sum.bytes) bytes in \(stack.sum.count) allocations from stack"
                + owner(stack) + (stack.kernel?.text ?? "") + fewSamples(stack.sum)
        ]
        lines += trend(stack).map { "\t\t[\($0)]" }
        guard let frames = stack.frames else { return lines + ["\t\tstack information lost"] }
        lines += frames.map { "\t\t" + text($0) }
        if let words = stack.end?.words { lines.append("\t\t[\(words)]") }
        return lines
    }

    /// What the report could not see; nothing of what is zero.
    public func accounting(_ report: MemLeakReport) -> [String] {
        var lines: [String] = []
        let counters = report.counters
        if report.sampleRate > 1 {
            lines.append(
                "estimated: 1 allocation in \(report.sampleRate) sampled, "
                    + "\(counters.sampledOut) passed over; a stack of fewer than \(report.sampleRate &* 3) "
                    + "allocations may be missing")
        }
        if let distance = report.sampleBytes {
            lines.append(
                report.isSampledInProcess
                    ? "estimated: a sample every \(distance) bytes, by the sampler in the process"
                    : "estimated: a sample every \(distance) bytes, \(counters.sampledOut) allocations passed over")
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
        lines += report.leftOut.lines
        if let before = report.baseline, before.count > 0 {
            lines.append("\(before.count) allocated before the baseline left out, \(before.bytes) bytes")
        }
        if report.younger.count > 0 {
            let age = Self.seconds(Double(report.minimumAge) / 1e9)
            lines.append(
                (report.stacks.isEmpty ? "nothing is older than \(age) s; " : "")
                    + "\(report.younger.count) younger than \(age) s left out, \(report.younger.bytes) bytes (-o 0 shows them)"
            )
        }
        return lines
    }

    private func owner(_ stack: MemLeakStack) -> String {
        guard showsPIDs, let pid = stack.pid else { return "" }
        return " of pid \(pid)" + (stack.comm.map { " (\(Printable.text($0)))" } ?? "")
    }

    /// How it develops, in a line; the second for those that survive.
    private func trend(_ stack: MemLeakStack) -> [String] {
        let trend = stack.trend
        guard trend.verdict != .tooEarly, let growth = trend.growth, let count = trend.growthCount else { return [] }
        let grows = trend.verdict.rank < LeakVerdict.tooEarly.rank
        let rate =
            "\(Self.signed(growth.value)) ± \(Self.number(growth.error)) bytes/s, \(Self.signed(count.value)) blocks/s"
        let share = Array(zip(LeakHistory<Int>.ages, trend.survival)).last { $0.1 != nil }
        let alive = share.flatMap { age, share in
            share.map { "; of \(age) s ago \(Self.number($0 * 100)) % live" }
        }
        return [trend.verdict.rawValue + (grows ? ": \(rate)" : "") + (alive ?? "")]
    }

    static func signed(_ value: Double) -> String { (value < 0 ? "-" : "+") + number(abs(value)) }

    /// Three digits where it is small, whole where it is not.
    static func number(_ value: Double) -> String {
        let scale: Double = value >= 100 ? 1 : value >= 10 ? 10 : 100
        let rounded = (value * scale).rounded() / scale
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int64(rounded))" : "\(rounded)"
    }

    static func seconds(_ value: Double) -> String { number(value < 10 ? value : value.rounded()) }

    private func fewSamples(_ sum: OutstandingSum) -> String {
        guard sum.isOfFewSamples, let samples = sum.samples else { return "" }
        return ", estimated from \(samples) \(samples == 1 ? "sample" : "samples")"
    }

    func text(_ frame: MemLeakFrame) -> String {
        let digits = String(frame.address, radix: 16)
        let address = "0x" + String(repeating: "0", count: max(0, 16 - digits.count)) + digits + "\t"
        let last = frame.module.map { path in path.split(separator: "/").last.map(String.init) ?? path }
        let module = last.map { $0.hasPrefix("[") ? " \($0)" : " [\($0)]" }
        let name: String
        if let symbol = frame.symbol {
            name = "\(symbol)+0x\(String(frame.offset, radix: 16))"
        } else if let last, let offset = frame.moduleOffset {
            // what finds the function elsewhere: where in which build of the file
            let build = frame.buildID.map { " build-id \($0)" } ?? ""
            return (showsAddresses ? address : "")
                + Printable.text("\(last)+0x\(String(offset, radix: 16))\(module ?? "")\(build)")
        } else {
            name = "[unknown]"
        }
        let line = frame.file.map { " \($0):\(frame.line ?? 0)" } ?? ""
        return (showsAddresses ? address : "") + Printable.text(name + (module ?? "") + line)
    }
}
