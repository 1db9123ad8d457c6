// SPDX-License-Identifier: Apache-2.0

extension OOMKillText {
    /// One page about a kill, a string a line.
    ///
    /// - Parameter advice: with what would have spared the victim.
    public static func page(_ explanation: OOMExplanation, advice: Bool = false) -> [String] {
        let victim = explanation.victim
        let what =
            explanation.program.map { "\(Printable.text($0.killer.name))'s \($0.kill.signal.name) to" } ?? "OOM kill of"
        var lines = [
            "\(what) PID \(victim.victimPID) (\"\(Printable.text(victim.victimComm))\"), \(victim.time.rfc3339)",
            "",
        ]
        lines += whatRanOut(explanation)
        lines += whoGrew(explanation)
        lines += whyThis(explanation)
        if advice { lines += whatSpares(explanation) }
        lines += whatFollowed(explanation)
        lines += ["", "NEXT"] + wrapped(Printable.text(explanation.nextStep), first: "  ")
        return lines
    }

    private static func whatRanOut(_ explanation: OOMExplanation) -> [String] {
        let victim = explanation.victim
        var lines = ["WHAT RAN OUT"]
        if let program = explanation.program { return lines + whatAProgramSaw(program) + before(explanation) }
        switch victim.context?.constraint {
        case .memoryCgroup?:
            lines.append("  memory cgroup \(Printable.text(explanation.domain?.path ?? "?"))")
        case .cpuset?: lines.append("  the nodes of a cpuset")
        case .memoryPolicy?: lines.append("  the nodes of a memory policy")
        case .none?: lines.append("  the whole machine")
        case nil:
            if case .kernelLog(let words) = explanation.source {
                lines.append("  \(Printable.text(words)): the kernel log has no more of it")
            } else {
                lines.append("  not known")
            }
        }
        if let limit = explanation.limitBytes {
            let used = explanation.usage.last.map { ", \(megabytes($0.bytes)) MB used" } ?? ""
            lines.append("  \(megabytes(limit)) MB\(used)")
        }
        if let context = victim.context {
            lines.append(
                "  asked for by PID \(victim.triggerPID) (\"\(Printable.text(victim.triggerComm))\"): "
                    + "\(pages(context.order)), \(context.gfp.description)")
        }
        return lines + before(explanation)
    }

    private static func pages(_ order: Int32) -> String { order <= 0 ? "1 page" : "\(1 << min(20, order)) pages" }

    /// Why a program is thought to have killed for memory.
    private static func whatAProgramSaw(_ program: UserspaceKill) -> [String] {
        let sender = program.kill.sender
        var lines = wrapped(
            "PID \(sender.pid) (\(Printable.text(sender.comm))) killed, not the kernel; for memory, as is inferred from: "
                + reasons(program.killer),
            first: "  ")
        if let machine = program.machine {
            let full = machine.full.map { "; pressure full \(fixed($0, 1)) % of 10 s" } ?? ""
            lines.append(
                "  available then: \(megabytes(machine.availableBytes)) of \(megabytes(machine.totalBytes)) MB\(full)")
        }
        return lines
    }

    /// The last minutes before it.
    private static func before(_ explanation: OOMExplanation) -> [String] {
        var lines: [String] = []
        if let total = explanation.swapTotalBytes, let free = explanation.swapFreeBytes {
            lines.append(
                total == 0 ? "  no swap" : "  swap: \(megabytes(free)) of \(megabytes(total)) MB free before it")
        }
        if let share = explanation.stalledShare {
            lines.append("  tasks waited for memory \(fixed(share * 100, 0)) % of the minute before (PSI some)")
        }
        if let first = explanation.usage.first, let last = explanation.usage.last, explanation.usage.count > 1 {
            let seconds = Double(last.time.nanoseconds - first.time.nanoseconds) / 1e9
            let top = explanation.limitBytes ?? explanation.usage.map(\.bytes).max() ?? 0
            lines.append(
                "  used: \(sparkline(explanation.usage.map(\.bytes), of: top)) "
                    + "\(megabytes(first.bytes)) to \(megabytes(last.bytes)) MB in \(fixed(seconds, 0)) s")
        }
        if let age = explanation.sampleAge, explanation.source == .recorder {
            lines.append("  last look at all processes: \(fixed(age, 1)) s before the kill")
        }
        return lines
    }

    private static func whoGrew(_ explanation: OOMExplanation) -> [String] {
        guard !explanation.growers.isEmpty else { return [] }
        var lines = ["", "WHO GREW", row(" ", "COMM", ["PID", "MB/S", "NOW_MB"], "SINCE    UNTIL")]
        for grower in explanation.growers.prefix(8) {
            lines.append(
                row(
                    " ", grower.comm,
                    ["\(grower.pid)", fixed(grower.bytesPerSecond / 1_048_576, 2), megabytes(grower.bytes)],
                    "\(grower.since.clockTime) \(grower.until?.clockTime ?? "the kill")"))
        }
        return lines
    }

    private static func whyThis(_ explanation: OOMExplanation) -> [String] {
        if explanation.source != .recorder && explanation.sampleAge == nil {
            return [
                "", "WHY THIS ONE",
                "  the log does not list the others: of kills within seconds it has few reports",
            ]
        }
        var lines = [
            "",
            explanation.program == nil
                ? "WHY THIS ONE: its pages, and what oom_score_adj adds; the most is killed"
                : "WHO HELD MOST: pages, and what oom_score_adj adds",
            row(" ", "COMM", ["PID", "POINTS", "BY_ADJ"], "ADJ"),
        ]
        for candidate in explanation.candidates.prefix(8) {
            lines.append(
                row(
                    candidate.isChosen ? ">" : " ", candidate.comm,
                    [
                        "\(candidate.pid)", candidate.points.map { String($0) } ?? "never",
                        "\(candidate.adjustmentPoints)",
                    ],
                    "\(candidate.oomScoreAdj)"))
        }
        let more = explanation.candidates.count - 8
        if more > 0 { lines.append("  and \(more) with less") }
        return lines
    }

    private static func whatSpares(_ explanation: OOMExplanation) -> [String] {
        var lines = ["", "WHAT WOULD HAVE SPARED IT"]
        if explanation.sparing.isEmpty { lines.append("  nothing: no other is known that could have been chosen") }
        for sparing in explanation.sparing {
            let who = "PID \(sparing.pid) (\(Printable.text(sparing.comm)))"
            let other =
                sparing.chosen == sparing.pid ? "it" : "PID \(sparing.chosen) (\(Printable.text(sparing.chosenComm)))"
            let unit = sparing.cgroup?.manager.flatMap {
                $0.hasPrefix("unit ") ? Printable.text(String($0.dropFirst(5))) : nil
            }
            func setting(_ kernel: String, _ systemd: String) -> String {
                unit.map { "\(systemd) of \($0), which is \(kernel) of \(who)," } ?? "\(kernel) of \(who)"
            }
            let line =
                switch sparing.setting {
                case .scoreAtMost(let value):
                    setting("oom_score_adj", "OOMScoreAdjust=") + " at \(value)\(value > -1000 ? " or less" : "")"
                        + ": then \(other) is killed"
                case .scoreAtLeast(let value):
                    setting("oom_score_adj", "OOMScoreAdjust=") + " at \(value) or more: then \(other) is killed"
                case .limitBelow(let bytes):
                    (unit.map { "MemoryMax= of \($0)" }
                        ?? "memory.max of \(Printable.text(sparing.cgroup?.path ?? "?"))")
                        + " below \(megabytes(bytes)) MB: then that runs out first, with \(who) in it"
                }
            lines += wrapped(line, first: "  ")
        }
        return lines
    }

    private static func whatFollowed(_ explanation: OOMExplanation) -> [String] {
        guard let after = explanation.aftermath else { return [] }
        var lines = ["", "WHAT CAME OF IT"]
        if let freed = after.freedBytes, let seconds = after.freedAfterSeconds {
            lines.append("  \(megabytes(freed)) MB freed, \(fixed(seconds, 3)) s after the kill")
        } else if explanation.program == nil {
            lines.append("  its memory was not seen to come back")
        }
        if let restart = after.restart {
            let who = restart.cgroup.manager ?? "cgroup \(restart.cgroup.path)"
            lines += wrapped(
                Printable.text(
                    "started again \(fixed(restart.afterSeconds, 1)) s after it: PID \(restart.pid) (\(restart.comm)), "
                        + "\(who)"),
                first: "  ")
        }
        if let next = after.nextKillAfterSeconds {
            let same = explanation.program == nil ? "the same ran out again" : "a program killed again"
            lines.append("  \(same) \(fixed(next, 1)) s after it")
        }
        return lines.count > 2 ? lines : []
    }

    private static func row(_ mark: String, _ name: String, _ cells: [String], _ end: String) -> String {
        var line = TableLine()
        line.add(mark)
        line.left(Printable.text(name), 18)
        line.right(cells, 10)
        line.add(" " + end)
        return line.text
    }

    /// Eight steps of height, 30 places at most.
    private static func sparkline(_ values: [UInt64], of top: UInt64) -> String {
        let steps = Array("▁▂▃▄▅▆▇█")
        let places = min(30, values.count)
        guard top > 0, places > 0 else { return "" }
        return String(
            (0..<places).map { place -> Character in
                let index = places == 1 ? 0 : place * (values.count - 1) / (places - 1)
                return steps[min(7, Int(Double(values[index]) / Double(top) * 8))]
            })
    }

    private static func megabytes(_ bytes: UInt64) -> String { fixed(Double(bytes) / 1_048_576, 1) }
}
