// SPDX-License-Identifier: Apache-2.0

/// memleak's JSON; Docs/tools/memleak.md has the schema.
public enum MemLeakJSON {
    /// An object a stack, in the report's order, then the summary.
    public static func lines(_ report: MemLeakReport) -> [JSONLine] {
        report.stacks.map { line($0, time: report.time, monotonic: report.monotonic) } + [summary(report)]
    }

    static func line(_ stack: MemLeakStack, time: WallTime, monotonic: UInt64) -> JSONLine {
        var line = JSONLine(type: "memleak")
        line.add("time", time.rfc3339)
        line.add("pid", stack.pid)
        line.add("comm", stack.comm)
        line.add("id", stack.id.text)
        line.add("stacks", stack.members)
        line.add("verdict", stack.trend.verdict.rawValue)
        line.add("verdict_confidence", stack.trend.confidence)
        add(stack.trend.growth, "growth_bytes_per_second", to: &line)
        add(stack.trend.growthCount, "growth_count_per_second", to: &line)
        var survival = JSONLine()
        for (age, share) in zip(LeakHistory<Int>.ages, stack.trend.survival) {
            survival.add("\(age)s", share.map(rounded))
        }
        line.add("survival", survival)
        line.add("bytes", stack.sum.bytes)
        line.add("count", stack.sum.count)
        line.add("oldest_ns", age(stack.sum, monotonic))
        line.add("estimated", stack.sum.isEstimated)
        line.add("bytes_error", stack.sum.bytesError)
        line.add("count_error", stack.sum.countError)
        line.add("samples", stack.sum.samples)
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
        line.add("oldest_ns", age(report.total, report.monotonic))
        line.add("estimated", report.total.isEstimated)
        line.add("bytes_error", report.total.bytesError)
        line.add("count_error", report.total.countError)
        line.add("stacks", report.siteCount)
        line.add("stacks_shown", report.stacks.count)
        line.add("leaking_stacks", report.watch.leaking.stacks)
        line.add("leaking_bytes_per_second", rounded(report.watch.leaking.growth))
        line.add("growing_stacks", report.watch.growing.stacks)
        line.add("growing_bytes_per_second", rounded(report.watch.growing.growth))
        line.add("suppressed_stacks", report.watch.suppressedStacks)
        line.add("suppressed_bytes", report.watch.suppressed.bytes)
        line.add("watched_ns", UInt64(max(0, report.watch.watched) * 1e9))
        line.add("leak_after_ns", UInt64(max(0, report.watch.patience) * 1e9))
        line.add("younger_bytes", report.younger.bytes)
        line.add("younger_count", report.younger.count)
        line.add("baseline_bytes", report.baseline?.bytes)
        line.add("baseline_count", report.baseline?.count)
        line.add("sample_rate", report.sampleRate)
        line.add("sample_bytes", report.sampleBytes)
        let counters = report.counters
        line.add("allocations", counters.allocations)
        line.add("frees", counters.frees)
        line.add("unmatched_frees", counters.unmatchedFrees)
        line.add("sampled_out", report.isSampledInProcess ? nil : counters.sampledOut)
        line.add("filtered_out", counters.filteredOut)
        line.add("failed_calls", report.isSampledInProcess ? nil : counters.failed)
        line.add("unseen_new_calls", counters.unseenNew)
        line.add("abandoned_calls", counters.abandoned)
        line.add("gone_bytes", report.gone.bytes)
        line.add("gone_count", report.gone.count)
        report.kernel?.add(to: &line)
        if report.kernel == nil {
            line.add("files_left_out", report.leftOut.count)
            line.add("left_out", report.leftOut.json)
        }
        line.add("losses", report.losses.json)
        if !report.blocks.isEmpty {
            line.add(
                "blocks",
                report.blocks.map { block in
                    var object = JSONLine()
                    object.add("address", hex: block.address)
                    object.add("bytes", argument: block.bytes)
                    return object
                })
        }
        return line
    }

    /// A file whose functions are traced from now on.
    public static func hooked(file: String, functions: [String], missing: [String]) -> JSONLine {
        var line = JSONLine(type: "memleak_hooked")
        line.add("file", file)
        line.add("functions", functions)
        line.add("missing", missing)
        return line
    }

    /// The sampling rate has changed.
    ///
    /// - Parameters:
    ///   - overheadPercent: the share of the CPUs' time that the programs took.
    ///   - isMet: false where no rate brings it below the limit.
    public static func sampling(
        time: WallTime, overheadPercent: Double, rate: UInt64, isMet: Bool
    ) -> JSONLine {
        var line = JSONLine(type: "memleak_sampling")
        line.add("time", time.rfc3339)
        line.add("overhead_percent", overheadPercent)
        line.add("sample_rate", rate)
        line.add("limit_met", isMet)
        return line
    }

    private static func add(_ rate: Rate?, _ key: String, to line: inout JSONLine) {
        line.add(key, rate.map { rounded($0.value) })
        line.add(key + "_error", rate.map { rounded($0.error) })
    }

    /// Thousandths say more than was measured.
    private static func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }

    private static func age(_ sum: OutstandingSum, _ monotonic: UInt64) -> UInt64? {
        sum.oldestTime.map { monotonic > $0 ? monotonic - $0 : 0 }
    }

    static func object(_ frame: MemLeakFrame) -> JSONLine {
        var line = JSONLine()
        line.add("address", hex: frame.address)
        line.add("symbol", frame.symbol)
        line.add("offset", frame.symbol == nil ? nil : frame.offset)
        line.add("module", frame.module)
        line.add("module_offset", hex: frame.moduleOffset)
        line.add("build_id", frame.buildID)
        line.add("file", frame.file)
        line.add("line", frame.line)
        return line
    }
}
