// SPDX-License-Identifier: Apache-2.0

/// The ways of seeing one thing: an enum whose cases are its rungs, best first. The first that the kernel
/// allows is used, and `Resolution` says which one that is, as a case to be switched over.
///
///     enum Victims: String, Ladder {
///         case tracepoint, fentry, kprobe
///         static let id = "victims"
///         static let sees = "the kernel's choice of a victim"
///
///         var rung: Rung {
///             switch self {
///             case .tracepoint: Rung(.tracepoint, on: .all, programs: ["oom_victim_btf"])
///             …
///             }
///         }
///     }
public protocol Ladder: RawRepresentable, CaseIterable, Hashable, Sendable where RawValue == String {
    /// What is to be seen, in a word that stays: the ladder's name in JSON, in `SWIFTMEM_RUNG`, in doctor's report.
    static var id: String { get }
    /// What is to be seen, in words.
    static var sees: String { get }
    /// What is missing without it, in words; nil, unless said: the tool can't do without it.
    static var without: String? { get }
    /// The rung behind a case.
    var rung: Rung { get }
}

extension Ladder {
    public static var without: String? { nil }
}

/// A ladder as a value, of whichever type.
public struct AnyLadder: Hashable, Sendable {
    public let id: String
    public let sees: String
    /// What is missing without it; nil: the tool can't do without it.
    public let without: String?
    /// Best first; their ids are unique, being an enum's raw values.
    public let rungs: [Rung]

    public init<Rungs: Ladder>(_ ladder: Rungs.Type) {
        id = ladder.id
        sees = ladder.sees
        without = ladder.without
        rungs = ladder.allCases.map { $0.rung.named($0.rawValue) }
    }

    /// The rungs that a name stands for, best first: the one of this id, else those of the mechanism, or whose
    /// ids begin with it.
    func rungs(named name: String) -> [Rung] {
        if let rung = rungs.first(where: { $0.id == name }) { return [rung] }
        return rungs.filter { $0.answers(to: name) }
    }
}

/// All that a tool attaches to in one of its modes.
public struct ProbeSet: Hashable, Sendable {
    public let tool: String
    /// The name of its BPF object: the tool's, unless the mode has another.
    public let object: String
    /// Their programs are attached in this order, ladder by ladder.
    public let ladders: [AnyLadder]

    public init(tool: String, object: String? = nil, ladders: [any Ladder.Type]) {
        self.tool = tool
        self.object = object ?? tool
        self.ladders = ladders.map { AnyLadder($0) }
    }
}
