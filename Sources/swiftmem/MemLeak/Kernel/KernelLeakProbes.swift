// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes

/// What memleak attaches to for the kernel's own allocations.
enum KernelLeakProbes {
    static let object = "kernelleak"

    /// Slab objects and pages.
    static let allocations = ProbeSet(
        tool: "memleak", object: object, mode: "kernel",
        ladders: [slab, pages, bulk, rcu])

    /// Per-CPU memory.
    static let percpu = ProbeSet(
        tool: "memleak", object: object, mode: "percpu",
        ladders: [
            Ladder(
                "percpu", "per-CPU allocations",
                rungs: [
                    Rung(
                        "tracepoint",
                        programs: ["percpu_alloc_rawtp", "percpu_free_rawtp", "percpu_free_second_rawtp"],
                        requires: [
                            .tracepointArgument("percpu_alloc_percpu", 0, "long unsigned int")
                        ], twins: twins, kernels: "5.19 and newer"),
                    Rung(
                        "tracepoint-sizes",
                        programs: ["percpu_alloc_sizes_rawtp", "percpu_free_rawtp", "percpu_free_second_rawtp"],
                        requires: [.tracepointArgument("percpu_alloc_percpu", 2, "size_t")], twins: twins,
                        kernels: "until 5.18"),
                ])
        ])

    /// The second program on a free sees those that interrupt the first.
    private static let twins = [
        "kfree_rawtp": "kfree_second_rawtp", "cache_free_rawtp": "cache_free_second_rawtp",
        "page_free_rawtp": "page_free_second_rawtp",
        "percpu_free_rawtp": "percpu_free_second_rawtp",
    ]

    private static let slab = Ladder(
        "slab", "slab objects",
        rungs: [
            Rung(
                "typed",
                programs: [
                    "kmalloc_btf", "cache_alloc_rawtp", "kfree_rawtp", "kfree_second_rawtp", "cache_free_rawtp",
                    "cache_free_second_rawtp",
                ],
                requires: [
                    .functionArgument("bpf_get_kmem_cache", 0, "u64"),
                    .tracepointArgument("kmalloc", 2, "size_t"),
                    .tracepointArgument("kmem_cache_alloc", 2, "kmem_cache *"),
                ], twins: twins, kernels: "6.13 and newer"),
            Rung(
                "tracepoint",
                programs: [
                    "kmalloc_rawtp", "cache_alloc_rawtp", "kfree_rawtp", "kfree_second_rawtp", "cache_free_rawtp",
                    "cache_free_second_rawtp",
                ],
                requires: [
                    .tracepointArgument("kmalloc", 2, "size_t"),
                    .tracepointArgument("kmem_cache_alloc", 2, "kmem_cache *"),
                ], twins: twins, kernels: "6.1 and newer",
                cannotSee: "the cache of kmalloc's objects where the kernel hides its variables"),
            Rung(
                "tracepoint-sizes",
                programs: [
                    "kmalloc_rawtp", "kmalloc_node_rawtp", "cache_alloc_sizes_rawtp", "cache_alloc_node_rawtp",
                    "kfree_rawtp", "kfree_second_rawtp", "cache_free_rawtp", "cache_free_second_rawtp",
                ],
                requires: [.tracepointArgument("kmem_cache_alloc", 2, "size_t")], twins: twins,
                kernels: "until 5.18",
                cannotSee: "the cache of objects where the kernel hides its variables"),
        ])

    private static let pages = Ladder(
        "pages", "pages",
        rungs: [
            Rung(
                "tracepoint", programs: ["page_alloc_rawtp", "page_free_rawtp", "page_free_second_rawtp"],
                twins: twins, kernels: "all",
                cannotSee: "pages taken many at once (vmalloc)")
        ])

    private static let bulk = Ladder(
        "bulk", "objects freed many at once",
        rungs: [
            Rung("fentry", programs: ["free_bulk_fentry"], kernels: "all that allow fentry"),
            Rung("kprobe", programs: ["free_bulk_kprobe"], kernels: "all with kprobes"),
        ],
        without: "objects freed in bulk stay in the report until their address is given out again: "
            + "false leaks possible")

    private static let rcu = Ladder(
        "rcu", "objects freed by kfree_rcu()",
        rungs: [
            Rung(
                "bulk", programs: [], requires: [.lacksStruct("slab_sheaf")],
                kernels: "until 6.17: they are freed in bulk"),
            Rung("fentry", programs: ["free_rcu_fentry"], kernels: "6.18 and newer"),
            Rung("kprobe", programs: ["free_rcu_kprobe"], kernels: "6.18 and newer"),
        ],
        without: "objects freed by kfree_rcu() stay in the report until their address is given "
            + "out again: false leaks possible")
}
