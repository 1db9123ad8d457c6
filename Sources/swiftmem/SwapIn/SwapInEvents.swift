// SPDX-License-Identifier: Apache-2.0
internal import Probes

/// memcg's own counting of pages that come from swap.
enum MemcgEvents {
    static let kernels = KernelRange.from(6, 13, "tracepoint count_memcg_events", orBackported: true)
    static let required = Requirement.tracepointArgument("count_memcg_events", 0, "mem_cgroup *")
}

/// Tracepoint rss_stat of an address space's pages in swap.
enum SwapEntries {
    /// Counters that are split over the CPUs, followed part by part.
    static let split = KernelRange.from(6, 2, "an address space's counters are per CPU", orBackported: true)
    static let splitRequired: [Requirement] = [
        .lacksStruct("mm_rss_stat"), .feature(.taskStorage), .feature(.perCPULookup),
    ]
    static let followed = ["swap_entries", "mm_by_exec", "mm_by_fork", "mm_at_start"]
    static let faults = ["user_fault", "kernel_fault"]

    /// Counters whose value the tracepoint says, behind by what threads keep to themselves.
    static let batched = KernelRange.through(6, 1, "then an address space's counters are per CPU")
    static let batchedRequired = Requirement.tracepointArgument("rss_stat", 2, "long int")
    static let counted = ["swap_count", "count_by_exec", "count_by_fork", "count_at_start"]
}
