// SPDX-License-Identifier: Apache-2.0

/// What must be true of a kernel, beyond its having the hook, for a rung's numbers to be right.
public enum Requirement: Hashable, Sendable, CustomStringConvertible {
    /// A tracepoint's argument has this type, spelt as `KernelBTF.tracepointArguments` does.
    case tracepointArgument(String, Int, String)
    /// A function's argument has this type.
    case functionArgument(String, Int, String)
    /// A function gives a value back.
    case returnsValue(String)
    /// A function gives back a value of this type, spelt as `KernelBTF.tracepointArguments` does.
    case functionResult(String, String)
    /// The kernel has no struct of this name: what it stood for is done otherwise.
    case lacksStruct(String)
    /// The kernel has a struct of this name, which stands for something it can.
    case hasStruct(String)
    /// The kernel has a feature, by the name of one of `KernelFeature.all`.
    case feature(String)

    public var description: String {
        switch self {
        case .tracepointArgument(let name, let index, let type):
            "tracepoint \(name) with \(type) as argument \(index)"
        case .functionArgument(let name, let index, let type):
            "function \(name) with \(type) as argument \(index)"
        case .returnsValue(let name): "function \(name) with a return value"
        case .functionResult(let name, let type): "function \(name) that returns \(type)"
        case .lacksStruct(let name): "no struct \(name)"
        case .hasStruct(let name): "struct \(name)"
        case .feature(let name): name
        }
    }
}

/// One way of seeing what a ladder is for.
public struct Rung: Hashable, Sendable {
    /// What users and tests call it, e.g. `tracepoint`, `fentry`, `kprobe`.
    public let name: String
    /// The programs that make it up; none, where other programs do its work.
    public let programs: [String]
    public let requires: [Requirement]
    /// Programs with, each, another that sees what the kernel skipped the first for: lost is
    /// at most what both were skipped for.
    public let twins: [String: String]
    /// Maps that only this rung's programs use.
    public let maps: [String]
    /// The kernels it is true on, in words.
    public let kernels: String
    /// What its numbers cannot see, in words; empty: nothing known.
    public let cannotSee: String

    public init(
        _ name: String, programs: [String], requires: [Requirement] = [],
        twins: [String: String] = [:], maps: [String] = [], kernels: String, cannotSee: String = ""
    ) {
        self.name = name
        self.programs = programs
        self.requires = requires
        self.twins = twins
        self.maps = maps
        self.kernels = kernels
        self.cannotSee = cannotSee
    }
}

/// The ways of seeing one thing, best first: the first that the kernel allows is used.
public struct Ladder: Hashable, Sendable {
    /// What is to be seen, in a word, e.g. `victims`.
    public let name: String
    /// What is to be seen, in words.
    public let purpose: String
    public let rungs: [Rung]
    /// What is missing without it; nil: the tool can't do without it.
    public let without: String?

    public init(_ name: String, _ purpose: String, rungs: [Rung], without: String? = nil) {
        self.name = name
        self.purpose = purpose
        self.rungs = rungs
        self.without = without
    }
}

/// All that a tool attaches to.
public struct ProbeSet: Hashable, Sendable {
    public let tool: String
    /// Its BPF object's name: the tool's, unless the tool has another for this.
    public let object: String
    /// What of the tool this is for, in a word, where it has several sets; nil: the tool as such.
    public let mode: String?
    public let ladders: [Ladder]

    public init(tool: String, object: String? = nil, mode: String? = nil, ladders: [Ladder]) {
        self.tool = tool
        self.object = object ?? tool
        self.mode = mode
        self.ladders = ladders
    }
}
