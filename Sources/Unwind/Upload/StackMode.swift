// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords
public import LibBPF

/// How user stacks are walked. Raw values are what `--stack` takes.
public enum StackMode: String, CaseIterable, Sendable {
    /// By frame pointers alone.
    case fp
    /// By tables alone.
    case dwarf
    /// By tables where a file has one, by frame pointers elsewhere.
    case auto
    /// Not for users: the kernel's own walk, which the others are measured against (Scripts/bench-stacks).
    case kernel
    /// Not for users: the caller alone.
    case caller

    /// What is offered to users.
    public static let offered: [StackMode] = [.fp, .dwarf, .auto]

    /// By tables?
    public var unwinds: Bool { self == .dwarf || self == .auto }

    /// The programs' read-only data `.rodata.stack`.
    private var config: stack_config {
        let mode =
            switch self {
            case .fp: STACK_FP
            case .dwarf: STACK_DWARF
            case .auto: STACK_AUTO
            case .kernel: STACK_KERNEL
            case .caller: STACK_CALLER
            }
        return stack_config(mode: mode.rawValue, padding: 0)
    }

    /// Sets up an object whose programs include BPF/unwind, before its load.
    ///
    /// - Parameter preallocates: hash maps take all their room at once, on kernels that want it so.
    /// - Throws: `BPFError` where the object has no such data or maps.
    public func prepare(_ object: borrowing OpenObject, preallocates: Bool) throws(BPFError) {
        try object.setReadOnlyData(".rodata.stack", to: config)
        for map in [UnwindMapName.pages, UnwindMapName.parents, UnwindMapName.wanted] {
            if preallocates { try object.map(map).setPreallocated(true) }
            if !unwinds { try object.map(map).setMaxEntries(1) }
        }
        if preallocates && unwinds { try object.map(UnwindMapName.pages).setMaxEntries(1024) }
    }
}
