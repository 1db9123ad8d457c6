// SPDX-License-Identifier: Apache-2.0
public import LibBPF

/// Picks the first rung of each ladder that a kernel allows.
public struct Resolver {
    private struct RungKey: Hashable {
        let ladder: String
        let rung: String
    }

    private let oracle: any KernelOracle
    private let forced: ForcedRungs
    /// Rungs that the kernel refused when they were loaded or attached, with its reason.
    private var refused: [RungKey: String] = [:]

    public init(oracle: any KernelOracle, forced: ForcedRungs = ForcedRungs()) {
        self.oracle = oracle
        self.forced = forced
    }

    /// Takes one rung out, after the kernel refused to load or attach it; those of other ids stay.
    public mutating func refuse(_ rung: Rung, of ladder: AnyLadder, because reason: String) {
        refused[RungKey(ladder: ladder.id, rung: rung.id)] = reason
    }

    /// - Parameter sections: the programs of the tool's object by name, for their hooks.
    public func resolve(_ probes: ProbeSet, sections: [String: AttachPoint]) -> Resolution {
        var choices: [Choice] = []
        for ladder in probes.ladders { choices.append(choice(of: ladder, probes.tool, sections, behind: choices)) }
        return Resolution(
            tool: probes.tool, object: probes.object, choices: choices, seconds: seconds(of: choices, sections))
    }

    /// The second programs of those that were chosen, where the kernel skips what a preempted task is in.
    private func seconds(of choices: [Choice], _ sections: [String: AttachPoint]) -> [String: String] {
        let listed = Set(choices.flatMap { $0.rung?.programs ?? [] })
        let pairs = listed.compactMap { first -> (String, String)? in
            // programs that a rung lists itself are no part of this
            guard let second = PairOfPrograms.second(of: first), sections[second] != nil, !listed.contains(second)
            else { return nil }
            return (first, second)
        }
        guard !pairs.isEmpty, oracle.support(for: .feature(.preemptibleTracepoints)).isSupported else { return [:] }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    /// - Parameter others: what the ladders before it came to.
    private func choice(
        of ladder: AnyLadder, _ tool: String, _ sections: [String: AttachPoint], behind others: [Choice]
    ) -> Choice {
        let wanted = forced.wanted(tool: tool, ladder: ladder)
        var passed: [PassedOver] = []
        for rung in ladder.rungs {
            if let wanted, !wanted.ids.contains(rung.id) {
                passed.append(PassedOver(rung: rung.id, reason: "\(wanted.name) is asked for"))
            } else if let reason = obstacle(rung, of: ladder, sections, behind: others) {
                passed.append(PassedOver(rung: rung.id, reason: reason))
            } else {
                return Choice(ladder: ladder, rung: rung, passedOver: passed)
            }
        }
        return Choice(ladder: ladder, rung: nil, passedOver: passed)
    }

    /// Why a rung can't be used; nil: it can, as far as the oracle knows.
    private func obstacle(
        _ rung: Rung, of ladder: AnyLadder, _ sections: [String: AttachPoint], behind others: [Choice]
    ) -> String? {
        if let reason = refused[RungKey(ladder: ladder.id, rung: rung.id)] { return reason }
        if let version = oracle.version, let reason = rung.kernels.refusal(on: version) { return reason }
        for reliance in rung.reliesOn {
            if let reason = reliance.obstacle(others) { return reason }
        }
        for requirement in rung.requires {
            let support = oracle.support(for: requirement)
            if !support.isSupported { return support.reason }
        }
        for program in rung.programs {
            guard let hook = sections[program] else { return "the object has no program \(program)" }
            let support = oracle.support(for: hook)
            if !support.isSupported { return "\(hook): \(support.reason)" }
        }
        return nil
    }
}
