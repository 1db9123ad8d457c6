// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords

/// How the kernel got a piece of memory.
public enum KernelMemoryKind: String, CaseIterable, Sendable {
    case kmalloc
    /// kmem_cache_alloc()
    case cache
    /// alloc_pages(), but for the slab allocator's own
    case pages
    case percpu

    /// nil: a number the programs do not write.
    init?(_ kind: UInt32) {
        switch kind {
        case KERNELLEAK_KMALLOC.rawValue: self = .kmalloc
        case KERNELLEAK_CACHE.rawValue: self = .cache
        case KERNELLEAK_PAGES.rawValue: self = .pages
        case KERNELLEAK_PERCPU.rawValue: self = .percpu
        default: return nil
        }
    }
}

/// What of the kernel a stack's memory is.
public struct KernelMemory: Hashable, Sendable {
    public let kind: KernelMemoryKind
    /// The slab cache's name; nil: none, or not known.
    public let cache: String?
    /// Objects of the cache were freed unseen: some of those shown may be free.
    public let falseLeaksPossible: Bool

    public init(kind: KernelMemoryKind, cache: String? = nil, falseLeaksPossible: Bool = false) {
        self.kind = kind
        self.cache = cache
        self.falseLeaksPossible = falseLeaksPossible
    }

    /// What a stack's line says behind bcc's words.
    var text: String {
        (cache.map { " of \(Printable.text($0))" } ?? "")
            + (falseLeaksPossible ? ", false leaks possible" : "")
    }
}
