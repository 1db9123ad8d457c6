// SPDX-License-Identifier: Apache-2.0
public import LibBPF

/// How a rung sees what its ladder is for.
public enum Mechanism: String, CaseIterable, Hashable, Sendable {
    /// The kernel's tracepoints: by their typed arguments, as plain words, or by their records.
    case tracepoint
    /// Functions of the kernel, by trampoline: at the entry (fentry) and at the return (fexit).
    case fentry
    /// Functions of the kernel, by breakpoint: kprobes and kretprobes.
    case kprobe
    /// Functions of user programs.
    case uprobe
    /// The task's kernel stack, which programs of another ladder read.
    case stack
    /// A kind of map, for the programs of other ladders.
    case map
    /// An iterator: the kernel goes through all of a kind each time that it is asked.
    case iterator
    /// No program of its own: what programs of other ladders see tells it, or nothing does.
    case indirect

    /// The mechanism that a program with this hook belongs to; nil where any may have such a program.
    public init?(hook: AttachPoint) {
        switch hook {
        case .btfTracepoint, .rawTracepoint, .tracepoint: self = .tracepoint
        case .fentry, .fexit: self = .fentry
        case .kprobe, .kretprobe: self = .kprobe
        case .userFunction: self = .uprobe
        case .iterator: self = .iterator
        case .perfEvent, .other: return nil
        }
    }
}
