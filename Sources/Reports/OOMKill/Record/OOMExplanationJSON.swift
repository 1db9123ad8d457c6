// SPDX-License-Identifier: Apache-2.0

extension OOMKillJSON {
    /// What led to a kill; Docs/tools/oomkill.md has the schema.
    public static func line(_ explanation: OOMExplanation) -> JSONLine {
        let victim = explanation.victim
        var line = JSONLine(type: "oomkill_explanation")
        line.add("time", victim.time.rfc3339)
        line.add("source", explanation.source.name)
        line.add("kill_id", hex: explanation.program == nil ? victim.killID : nil)
        line.add("victim_pid", victim.victimPID)
        line.add("victim_comm", victim.victimComm)
        line.add("killer", explanation.program?.killer.name)
        line.add("killer_pid", explanation.program?.kill.sender.pid)
        line.add("inferred_from", explanation.program?.killer.evidence.map(\.rawValue))
        line.add("signal", explanation.program?.kill.signal.name)
        // a task of the number 0 allocates nothing
        line.add("trigger_pid", victim.triggerPID == 0 ? nil : victim.triggerPID)
        line.add("trigger_comm", victim.triggerPID == 0 ? nil : victim.triggerComm)
        line.add("constraint", victim.context?.constraint?.name)
        line.add("limit_cgroup", explanation.domain?.path)
        line.add("limit_bytes", explanation.limitBytes)
        line.add("sample_age_seconds", explanation.sampleAge)
        line.add("swap_total_bytes", explanation.swapTotalBytes)
        line.add("swap_free_bytes", explanation.swapFreeBytes)
        line.add("stalled_ratio", explanation.stalledShare)
        line.add("growers", explanation.growers.map(grower))
        line.add("candidates", explanation.candidates.map(candidate))
        line.add(
            "usage",
            explanation.usage.map { usage in
                var line = JSONLine()
                line.add("time", usage.time.rfc3339)
                line.add("bytes", usage.bytes)
                return line
            })
        line.add("advice", explanation.sparing.map(advice))
        let after = explanation.aftermath
        line.add("freed_bytes", after?.freedBytes)
        line.add("freed_after_seconds", after?.freedAfterSeconds)
        line.add("next_kill_after_seconds", after?.nextKillAfterSeconds)
        if let restart = after?.restart {
            line.add("restart", self.restart(restart))
        } else {
            line.add("restart", nil as String?)
        }
        line.add("next_step", explanation.nextStep)
        return line
    }

    private static func grower(_ grower: OOMGrower) -> JSONLine {
        var line = JSONLine()
        line.add("pid", grower.pid)
        line.add("comm", grower.comm)
        line.add("cgroup", grower.cgroup?.path)
        line.add("bytes", grower.bytes)
        line.add("bytes_per_second", grower.bytesPerSecond)
        line.add("since", grower.since.rfc3339)
        line.add("until", grower.until?.rfc3339)
        line.add("recent_bytes", grower.recentBytes)
        return line
    }

    private static func candidate(_ candidate: OOMExplanation.Candidate) -> JSONLine {
        var line = JSONLine()
        line.add("pid", candidate.pid)
        line.add("comm", candidate.comm)
        line.add("cgroup", candidate.cgroup?.path)
        line.add("points", candidate.points)
        line.add("oom_score_adj", candidate.oomScoreAdj)
        line.add("adjustment_points", candidate.adjustmentPoints)
        line.add("chosen", candidate.isChosen)
        return line
    }

    private static func restart(_ restart: OOMRestart) -> JSONLine {
        var line = JSONLine()
        line.add("pid", restart.pid)
        line.add("comm", restart.comm)
        line.add("cgroup", restart.cgroup.path)
        line.add("manager", restart.cgroup.manager)
        line.add("after_seconds", restart.afterSeconds)
        return line
    }

    private static func advice(_ sparing: OOMSparing) -> JSONLine {
        var line = JSONLine()
        switch sparing.setting {
        case .scoreAtMost(let value):
            line.add("setting", "oom_score_adj_at_most")
            line.add("value", Int64(value))
        case .scoreAtLeast(let value):
            line.add("setting", "oom_score_adj_at_least")
            line.add("value", Int64(value))
        case .limitBelow(let bytes):
            line.add("setting", "memory_max_below")
            line.add("value", bytes)
        }
        line.add("pid", sparing.pid)
        line.add("comm", sparing.comm)
        line.add("cgroup", sparing.cgroup?.path)
        line.add("chosen_pid", sparing.chosen)
        line.add("chosen_comm", sparing.chosenComm)
        return line
    }
}
