// SPDX-License-Identifier: Apache-2.0

/// growth's JSON, described in Docs/schema/growth.json.
public enum GrowthJSON {
    /// An object for each stack, largest first, then the summary.
    public static func lines(_ report: GrowthReport) -> [JSONLine] {
        report.stacks.map { line($0, report) } + [summary(report)]
    }

    static func line(_ stack: GrowthStack, _ report: GrowthReport) -> JSONLine {
        var line = JSONLine(type: "growth")
        line.add("time", report.time.rfc3339)
        line.add("pid", stack.pid)
        line.add("comm", stack.comm)
        line.add("faulted_bytes", report.bytes(stack.pages.total))
        line.add("resident_bytes", stack.resident.map { report.bytes($0) })
        line.add("huge_bytes", report.bytes(stack.huge))
        line.add("anonymous_bytes", report.bytes(stack.pages.anonymous))
        line.add("file_bytes", report.bytes(stack.pages.file))
        line.add("shared_bytes", report.bytes(stack.pages.shared))
        line.add("faults", stack.faults)
        line.add("major_faults", stack.majors)
        line.add("wait_ns", stack.waitNanoseconds)
        line.add("frames", stack.frames.map { frames in frames.map(MemLeakJSON.object) })
        line.add("stack_end", stack.end?.rawValue)
        return line
    }

    static func summary(_ report: GrowthReport) -> JSONLine {
        var line = JSONLine(type: "growth_summary")
        let sums = report.sums
        line.add("time", report.time.rfc3339)
        line.add("elapsed_ns", report.elapsedNanoseconds)
        line.add("rss_bytes", report.bytes(sums.resident))
        line.add("rss_change_bytes", report.bytes(sums.change))
        line.add("explained_bytes", report.bytes(sums.explained))
        line.add("faulted_bytes", report.bytes(sums.faulted))
        line.add("elsewhere_bytes", report.bytes(sums.elsewhere))
        line.add("returned_bytes", report.bytes(sums.returned))
        line.add("reclaimed_bytes", report.bytes(sums.reclaimed))
        line.add("taken_bytes", report.bytes(sums.taken))
        line.add("ended_bytes", report.bytes(sums.ended))
        line.add("stacks", report.stackCount)
        line.add("stacks_shown", report.stacks.count)
        line.add("losses", report.losses.json)
        return line
    }
}
