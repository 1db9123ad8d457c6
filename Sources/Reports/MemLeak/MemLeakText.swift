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

    /// The report as lines: the blocks asked for, then the stacks, the largest last.
    public func lines(_ report: MemLeakReport) -> [String] {
        var lines = ["[\(report.time.clockTime)] Top \(top) stacks with outstanding allocations:"]
        for block in report.blocks.sorted(by: { ($0.bytes, $0.address) < ($1.bytes, $1.address) }) {
            lines.append("\taddr = \(String(block.address, radix: 16)) size = \(block.bytes)")
        }
        for stack in report.stacks.reversed() {
            lines.append(
                "\t\(stack.sum.bytes) bytes in \(stack.sum.count) allocations from stack"
                    + (showsPIDs ? stack.pid.map { " of pid \($0)" } ?? "" : "") + (stack.kernel?.text ?? "")
                    + fewSamples(stack.sum))
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
                    + "\(counters.sampledOut) passed over; a stack of fewer than \(report.sampleRate &* 3) "
                    + "allocations may be missing")
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
        lines += report.leftOut.lines
        return lines
    }

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
