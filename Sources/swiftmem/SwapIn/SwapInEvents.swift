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
    static let followed = ["swap_rss_btf", "mm_exec_btf", "mm_fork_btf", "mm_start_iter"]
    static let faults = ["user_fault_btf", "kernel_fault_btf"]

    /// Counters whose value the tracepoint says, behind by what threads keep to themselves.
    static let batched = KernelRange.through(6, 1, "then an address space's counters are per CPU")
    static let batchedRequired = Requirement.tracepointArgument("rss_stat", 2, "long int")
    static let counted = ["unsplit_rss_btf", "unsplit_exec_btf", "unsplit_fork_btf", "unsplit_start_iter"]
}
