// SPDX-License-Identifier: Apache-2.0
public import LibBPF

/// Why a rung is not used.
public struct PassedOver: Hashable, Sendable {
    public let rung: String
    public let reason: String

    public init(rung: String, reason: String) {
        self.rung = rung
        self.reason = reason
    }
}

/// What a ladder came to on this kernel.
public struct Choice: Hashable, Sendable {
    public let ladder: Ladder
    /// nil: none of its rungs can be had.
    public let rung: Rung?
    /// The rungs above it, in order.
    public let passedOver: [PassedOver]
}

/// What a tool's ladders came to.
public struct Resolution: Hashable, Sendable {
    public let tool: String
    /// The BPF object's name.
    public let object: String
    public let choices: [Choice]

    /// The rung of a ladder, nil where it has none here.
    public func rung(of ladder: String) -> String? {
        choices.first { $0.ladder.name == ladder }?.rung?.name
    }

    /// The programs to load and attach, each once: rungs of several ladders may share one.
    public var programs: [String] {
        var seen: Set<String> = []
        return choices.flatMap { $0.rung?.programs ?? [] }.filter { seen.insert($0).inserted }
    }

    /// Of each program that has one, the program that sees what it was skipped for.
    public var twins: [String: String] {
        choices.reduce(into: [:]) { all, choice in
            all.merge(choice.rung?.twins ?? [:]) { first, _ in first }
        }
    }

    /// Maps that belong to rungs not chosen only.
    var idleMaps: Set<String> {
        let used = Set(choices.flatMap { $0.rung?.maps ?? [] })
        let all = Set(choices.flatMap { $0.ladder.rungs.flatMap(\.maps) })
        return all.subtracting(used)
    }

    /// The ladders that the tool can't do without and that have no rung.
    public var missing: [Choice] { choices.filter { $0.rung == nil && $0.ladder.without == nil } }
}

/// Rungs that are asked for instead of chosen: `TOOL=RUNG` for every ladder of the
/// tool that has a rung of the name, or `TOOL.LADDER=RUNG`; several with commas.
public struct ForcedRungs: Hashable, Sendable {
    private var rungs: [String: String] = [:]

    public init() {}

    /// nil where the text is not of that form.
    public init?(_ text: String) {
        for item in text.split(separator: ",") {
            let parts = item.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
            rungs[String(parts[0])] = String(parts[1])
        }
    }

    func rung(tool: String, ladder: Ladder) -> String? {
        if let rung = rungs["\(tool).\(ladder.name)"] { return rung }
        guard let rung = rungs[tool], ladder.rungs.contains(where: { $0.name == rung }) else {
            return nil
        }
        return rung
    }
}

/// Picks the first rung of each ladder that a kernel allows.
public struct Resolver {
    private let oracle: any KernelOracle
    private let forced: ForcedRungs
    /// Rungs that were loaded or attached for real, and refused.
    private var refused: [String: String] = [:]

    public init(oracle: any KernelOracle, forced: ForcedRungs = ForcedRungs()) {
        self.oracle = oracle
        self.forced = forced
    }

    /// Takes a rung out, after the kernel refused it in earnest.
    mutating func refuse(_ rung: Rung, of ladder: Ladder, because reason: String) {
        refused["\(ladder.name).\(rung.name)"] = reason
    }

    /// - Parameter sections: the programs of the tool's object by name, for their hooks.
    public func resolve(_ probes: ProbeSet, sections: [String: AttachPoint]) -> Resolution {
        let choices = probes.ladders.map { ladder in
            let wanted = forced.rung(tool: probes.tool, ladder: ladder)
            var passed: [PassedOver] = []
            for rung in ladder.rungs {
                if let wanted, rung.name != wanted {
                    passed.append(PassedOver(rung: rung.name, reason: "\(wanted) is asked for"))
                    continue
                }
                if let reason = obstacle(rung, of: ladder, sections) {
                    passed.append(PassedOver(rung: rung.name, reason: reason))
                    continue
                }
                return Choice(ladder: ladder, rung: rung, passedOver: passed)
            }
            return Choice(ladder: ladder, rung: nil, passedOver: passed)
        }
        return Resolution(tool: probes.tool, object: probes.object, choices: choices)
    }

    private func obstacle(_ rung: Rung, of ladder: Ladder, _ sections: [String: AttachPoint])
        -> String?
    {
        if let reason = refused["\(ladder.name).\(rung.name)"] { return reason }
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
