// SPDX-License-Identifier: Apache-2.0
public import LibBPF

/// Why a rung is not used.
public struct PassedOver: Hashable, Sendable {
    /// The rung's id.
    public let rung: String
    public let reason: String

    public init(rung: String, reason: String) {
        self.rung = rung
        self.reason = reason
    }
}

/// What a ladder came to on this kernel.
public struct Choice: Hashable, Sendable {
    public let ladder: AnyLadder
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
    /// By program, the second one of a pair (BPF/lib/twice.h), on a kernel that skips programs of preempted tasks.
    public let seconds: [String: String]

    /// Each ladder's id with that of its rung in use; nil where none is. As the start record has them.
    public var rungNames: [(String, String?)] { choices.map { ($0.ladder.id, $0.rung?.id) } }

    /// The rung of a ladder; nil where it has none here, or the tool's mode does not have the ladder.
    public subscript<Rungs: Ladder>(ladder: Rungs.Type) -> Rungs? {
        choices.first { $0.ladder.id == ladder.id }?.rung.flatMap { Rungs(rawValue: $0.id) }
    }

    /// Does the tool's mode have this ladder, with a rung or without?
    public func has<Rungs: Ladder>(_ ladder: Rungs.Type) -> Bool {
        choices.contains { $0.ladder.id == ladder.id }
    }

    /// The programs to load, each once (rungs of several ladders may share one), in the order in which they attach:
    /// ladder by ladder, and each rung's as it lists them; a second one directly behind its first.
    public var programs: [String] {
        var seen: Set<String> = []
        return choices.flatMap { $0.rung?.programs ?? [] }.filter { seen.insert($0).inserted }
            .flatMap { [$0] + (seconds[$0].map { [$0] } ?? []) }
    }

    /// By program, the program that sees what the kernel skipped it for.
    public var backups: [String: String] {
        choices.reduce(into: seconds) { all, choice in
            all.merge(choice.rung?.backups ?? [:]) { first, _ in first }
        }
    }

    /// The choice whose rung has a program, or the first of its pair.
    func choice(of program: String) -> Choice? {
        choices.first { $0.rung?.programs.contains { $0 == program || seconds[$0] == program } ?? false }
    }

    /// Maps that belong to rungs not chosen only.
    var idleMaps: Set<String> {
        let used = Set(choices.flatMap { $0.rung?.maps ?? [] })
        let all = Set(choices.flatMap { $0.ladder.rungs.flatMap(\.maps) })
        return all.subtracting(used)
    }

    /// The ladders that the tool can't do without and that have no rung.
    public var missing: [Choice] { choices.filter { $0.rung == nil && $0.ladder.without == nil } }

    /// How its programs are put in place, one after another.
    ///
    /// - Parameter sections: the programs of the tool's object by name, for their hooks.
    public func attachment(sections: [String: AttachPoint]) -> AttachOrder {
        var order = AttachOrder()
        let onDemand = Set(choices.flatMap { $0.rung.map { $0.runsOnDemand ? $0.programs : [] } ?? [] })
        for program in programs {
            switch sections[program] {
            case .iterator where onDemand.contains(program): order.onDemand.append(program)
            case .iterator: order.iterators.append(program)
            case .userFunction: break
            default: order.links.append(program)
            }
        }
        return order
    }
}

/// What is done with programs, in this order, once they are loaded. Programs of user functions are in neither
/// list: where they go, only the tool knows.
public struct AttachOrder: Hashable, Sendable {
    /// Attached one behind the other. The kernel runs programs on one tracepoint or function in the order in which
    /// they were attached.
    public internal(set) var links: [String] = []
    /// Run through once when all links are in place: they tell the other programs what is there already.
    public internal(set) var iterators: [String] = []
    /// Iterators that run when the tool asks them.
    public internal(set) var onDemand: [String] = []
}
