// SPDX-License-Identifier: Apache-2.0

/// What is known of a captured stack: its names, and what memory it got.
public struct LeakSite: Hashable, Sendable {
    /// Innermost first; nil: the stack was lost.
    public var frames: [MemLeakFrame]?
    /// Where the walk ended; nil: by frame pointers, which don't say.
    public var end: StackEnd?
    /// What memory of the kernel's; nil: a process's, or lost with the stack.
    public var kernel: KernelMemory?

    public init(frames: [MemLeakFrame]? = nil, end: StackEnd? = nil, kernel: KernelMemory? = nil) {
        (self.frames, self.end, self.kernel) = (frames, end, kernel)
    }

    /// All frames have a place: a frame in nothing known may have a name at the next look.
    public var isFinal: Bool { frames?.allSatisfy { $0.symbol != nil || $0.module != nil } ?? false }

    /// What tells stacks of the same frames apart.
    var salt: String { kernel.map { $0.kind.rawValue + " " + ($0.cache ?? "") } ?? "" }
}
