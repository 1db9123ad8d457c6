// SPDX-License-Identifier: Apache-2.0
package import TraceRecords

/// A kernel stack as the programs captured it, and what memory it got.
public struct CapturedKernelStack: Hashable, Sendable {
    /// Innermost first, the tracing program's own included.
    public let frames: [UInt64]
    /// nil: a number that the programs do not write.
    public let kind: KernelMemoryKind?
    /// The slab cache's address; 0: none, or not known.
    public let cache: UInt64

    package init(_ record: kstack_record) {
        frames = fixedWords(record.frames, record.count)
        kind = KernelMemoryKind(record.kind)
        cache = record.cache
    }
}

/// A slab cache as the programs met it.
public struct KernelCache: Hashable, Sendable {
    public let name: String
    /// Its objects' addresses that were given out again without a free between.
    public let unseenFrees: UInt64

    package init(_ record: kernelleak_cache) {
        name = fixedText(record.name)
        unseenFrees = record.unseen
    }
}
