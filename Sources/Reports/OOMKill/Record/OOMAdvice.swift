// SPDX-License-Identifier: Apache-2.0

/// What to do next about a kill: one sentence, made of the explanation's facts.
enum OOMAdvice {
    static func next(_ explanation: OOMExplanation) -> String {
        let victim = explanation.victim
        if explanation.source != .recorder {
            let leave =
                "leave swiftmem oomkill --record DIRECTORY running, and the next kill is explained from its beginning"
            guard explanation.sampleAge != nil else { return "the kernel log has the victim alone: " + leave }
            let most = explanation.candidates.max { ($0.points ?? .min) < ($1.points ?? .min) }
            let who = most.map { ", process \($0.pid) (\($0.comm)) before all" } ?? ""
            return "the kernel log tells what each held at the kill\(who), and not who grew: \(leave)"
        }
        guard explanation.sampleAge != nil else {
            return "nothing was recorded before this kill: leave swiftmem oomkill --record running"
        }
        let place = explanation.domain.map { "cgroup \($0.path)" } ?? "the machine"
        guard let grower = explanation.growers.first, grower.recentBytes >= (explanation.limitBytes ?? 0) / 50 else {
            return explanation.domain == nil
                ? "no process grew by much: swiftmem meminfo shows what else took the memory"
                : "no process grew by much: what runs in \(place) needs more than its limit; raise it, or run less"
        }
        let rate = "\(fixed(grower.bytesPerSecond / 1_048_576, 1)) MB/s"
        let who = "process \(grower.pid) (\(grower.comm))"
        let chosen = explanation.candidates.first(where: \.isChosen)
        if grower.pid == victim.victimPID {
            let room =
                explanation.domain == nil
                ? "give it a cgroup with a limit" : "raise the limit of \(place) if it may grow"
            return "\(who) grew by \(rate) and was killed for it: find what it keeps (swiftmem memleak -c, at its next "
                + "start), or \(room)"
        }
        if let chosen, chosen.adjustmentPoints > 0 {
            return
                "\(who) grew by \(rate), and process \(chosen.pid) (\(chosen.comm)) was killed for its oom_score_adj "
                + "of \(chosen.oomScoreAdj): look at the one that grows (swiftmem memleak -p \(grower.pid))"
        }
        return "\(who) grew by \(rate), and another was killed: look at the one that grows "
            + "(swiftmem memleak -p \(grower.pid)), or give it a limit of its own"
    }
}
