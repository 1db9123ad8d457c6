// SPDX-License-Identifier: Apache-2.0

/// One way of seeing what a ladder is for.
public struct Rung: Hashable, Sendable {
    /// Its case's raw value in the ladder's enum: what users, tests and JSON call it, e.g. `fentry_folio`.
    public private(set) var id = ""
    public let mechanism: Mechanism
    /// The kernels that its numbers are true on.
    public let kernels: KernelRange
    /// The programs that make it up, attached in this order, but for iterators, which run behind all others;
    /// none, where other programs do its work.
    public let programs: [String]
    public let requires: [Requirement]
    /// Rungs of ladders before its own whose notes its programs read.
    public let reliesOn: [Reliance]
    /// By program, the one behind it on the same event, which sees what the kernel skipped the first for.
    /// Lost is at most what both were skipped for.
    public let backups: [String: String]
    /// Maps that only this rung's programs use.
    public let maps: [String]
    /// Its iterators run when the tool asks them, not once at the start.
    public let runsOnDemand: Bool
    /// What its numbers cannot see, in words; empty: nothing known.
    public let cannotSee: String

    public init(
        _ mechanism: Mechanism, on kernels: KernelRange, programs: [String] = [], requires: [Requirement] = [],
        reliesOn: [Reliance] = [], backups: [String: String] = [:], maps: [String] = [],
        runsOnDemand: Bool = false, cannotSee: String = ""
    ) {
        self.mechanism = mechanism
        self.kernels = kernels
        self.programs = programs
        self.requires = requires
        self.reliesOn = reliesOn
        self.backups = backups
        self.maps = maps
        self.runsOnDemand = runsOnDemand
        self.cannotSee = cannotSee
    }

    /// The same rung under an id.
    func named(_ id: String) -> Rung {
        var rung = self
        rung.id = id
        return rung
    }

    /// Is it one of those that a name stands for: its id, the beginning of its id before a `_`, its mechanism?
    func answers(to name: String) -> Bool {
        id == name || id.hasPrefix(name + "_") || mechanism.rawValue == name
    }
}
