// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords

/// A function of an allocator, by the shape of its arguments.
struct AllocatorFunction: Hashable {
    let name: String
    let op: memleak_op

    static func == (a: Self, b: Self) -> Bool { a.name == b.name }
    func hash(into hasher: inout Hasher) { hasher.combine(name) }

    /// The heap: what a file must have most of to be an allocator.
    static let heap: [AllocatorFunction] = [
        .init(name: "malloc", op: MEMLEAK_SIZE),
        .init(name: "calloc", op: MEMLEAK_CALLOC),
        .init(name: "realloc", op: MEMLEAK_REALLOC),
        .init(name: "free", op: MEMLEAK_FREE),
        .init(name: "posix_memalign", op: MEMLEAK_POSIX_MEMALIGN),
        .init(name: "aligned_alloc", op: MEMLEAK_ALIGNED),
        .init(name: "memalign", op: MEMLEAK_ALIGNED),
        .init(name: "valloc", op: MEMLEAK_OUTER_SIZE),
        .init(name: "pvalloc", op: MEMLEAK_OUTER_SIZE),
        .init(name: "reallocarray", op: MEMLEAK_REALLOCARRAY),
    ]

    /// Present in some only: nobody misses them.
    static let extras: [AllocatorFunction] = [
        .init(name: "cfree", op: MEMLEAK_FREE),
        .init(name: "free_sized", op: MEMLEAK_FREE),
        .init(name: "free_aligned_sized", op: MEMLEAK_FREE),
    ]

    /// The sampler's (Sampler/probes.c): in its place all others are left alone.
    static let sampler: [AllocatorFunction] = [
        .init(name: "swiftmem_sampled_alloc", op: MEMLEAK_SAMPLED),
        .init(name: "swiftmem_sampled_free", op: MEMLEAK_SAMPLED_FREE),
    ]

    /// Beyond the C library's names: what programs call that were made for one allocator, such as Rust's
    /// with jemalloc or mimalloc linked in. Those whose shape none of the ops has are in Docs/tools/memleak.md.
    ///
    /// Each allocator's are looked for where its `mark` is.
    static let own: [(mark: String, functions: [AllocatorFunction])] = [
        // jemalloc(3): flags come last; xallocx resizes in place and is not seen
        ("mallctl", jemalloc), ("je_mallctl", jemalloc.map { $0.prefixed("je_") }),
        ("_rjem_mallctl", jemalloc.map { $0.prefixed("_rjem_") }),
        ("_rjem_je_mallctl", jemalloc.map { $0.prefixed("_rjem_je_") }),
        ("mi_malloc", mimalloc),
    ]

    private static let jemalloc: [AllocatorFunction] = [
        .init(name: "mallocx", op: MEMLEAK_SIZE),
        .init(name: "rallocx", op: MEMLEAK_REALLOC),
        .init(name: "dallocx", op: MEMLEAK_FREE),
        .init(name: "sdallocx", op: MEMLEAK_FREE),
    ]

    private static let mimalloc: [AllocatorFunction] =
        [
            "mi_zalloc", "mi_malloc_small", "mi_zalloc_small", "mi_malloc_aligned",
            "mi_malloc_aligned_at", "mi_zalloc_aligned", "mi_zalloc_aligned_at",
        ].map { .init(name: $0, op: MEMLEAK_OUTER_SIZE) }
        + ["mi_mallocn", "mi_calloc_aligned"].map { .init(name: $0, op: MEMLEAK_CALLOC) }
        + ["mi_realloc_aligned", "mi_realloc_aligned_at", "mi_rezalloc", "mi_rezalloc_aligned"]
        .map { .init(name: $0, op: MEMLEAK_REALLOC) }
        + ["mi_reallocn", "mi_recalloc"].map { .init(name: $0, op: MEMLEAK_REALLOCARRAY) }
        // (heap, size): the size is second, as memalign's
        + ["mi_heap_malloc", "mi_heap_zalloc", "mi_heap_malloc_small", "mi_heap_malloc_aligned"]
        .map { .init(name: $0, op: MEMLEAK_ALIGNED) }
        + ["mi_free_size", "mi_free_size_aligned", "mi_free_aligned"]
        .map { .init(name: $0, op: MEMLEAK_FREE) }

    static let mappings: [AllocatorFunction] = [
        .init(name: "mmap", op: MEMLEAK_MMAP),
        .init(name: "munmap", op: MEMLEAK_MUNMAP),
        .init(name: "mremap", op: MEMLEAK_MREMAP),
    ]

    /// C++'s operator new, plain and for arrays, with alignment, with nothrow.
    static let new: [AllocatorFunction] = ["_Znwm", "_Znam"].flatMap { name in
        ["", "RKSt9nothrow_t", "St11align_val_t", "St11align_val_tRKSt9nothrow_t"]
            .map { .init(name: name + $0, op: MEMLEAK_OUTER) }
    }

    /// Names that only allocators have whose operator new is not malloc: jemalloc,
    /// tcmalloc, mimalloc.
    static let ownNew = ["mallctl", "je_mallctl", "tc_new", "mi_new"]

    /// C++'s operator delete, with and without size and alignment.
    static let delete: [AllocatorFunction] = ["_ZdlPv", "_ZdaPv"].flatMap { name in
        [
            "", "m", "St11align_val_t", "mSt11align_val_t", "RKSt9nothrow_t",
            "St11align_val_tRKSt9nothrow_t",
        ]
        .map { .init(name: name + $0, op: MEMLEAK_FREE) }
    }

    /// How allocators that live beside the C library's call their functions: jemalloc,
    /// Rust's jemalloc, tcmalloc, mimalloc, rpmalloc, TBB.
    static let prefixes = ["", "je_", "_rjem_", "_rjem_je_", "tc_", "mi_", "rp", "scalable_"]

    func prefixed(_ prefix: String) -> AllocatorFunction {
        AllocatorFunction(name: prefix + name, op: op)
    }
}
