// SPDX-License-Identifier: Apache-2.0
internal import TraceRecords
internal import LibBPF
internal import Probes

extension SwapIn {
    static var probes: ProbeSet { probes(detailed: true) }

    /// - Parameter detailed: not only the pages.
    static func probes(detailed: Bool) -> ProbeSet {
        ProbeSet(tool: "swapin", ladders: detailed ? [pages, sources, waits, swapouts] : [pages])
    }

    /// memcg's own counting of pages that come from swap.
    private static let memcgEvents = Requirement.tracepointArgument("count_memcg_events", 0, "mem_cgroup *")

    /// kmem:rss_stat of an mm whose counters are split over the CPUs.
    private static let splitCounters: [Requirement] = [
        .lacksStruct("mm_rss_stat"), .feature("task storage"), .feature("per-CPU look-up"),
    ]
    private static let followed = ["swap_rss_btf", "mm_exec_btf", "mm_fork_btf", "mm_start_iter"]
    private static let counted = ["unsplit_rss_btf", "unsplit_exec_btf", "unsplit_fork_btf", "unsplit_start_iter"]

    private static let pages = Ladder(
        "pages", "pages that come back from swap",
        rungs: [
            Rung(
                "tracepoint", programs: ["memcg_event_btf"], requires: [memcgEvents],
                kernels: "6.13 and newer",
                cannotSee: """
                    zswap's and zero-filled pages of processes in the root memory cgroup; swap \
                    files on a network, which are counted where the read completes
                    """),
            Rung("fentry", programs: ["read_folio_fentry", "read_folio_fexit"], kernels: "6.9 and newer"),
            Rung("fentry", programs: ["read_page_fentry", "read_page_fexit"], kernels: "5.10 to 6.8"),
            Rung("kprobe", programs: ["read_folio_kprobe", "read_folio_kretprobe"], kernels: "6.9 and newer"),
            Rung("kprobe", programs: ["read_page_kprobe", "read_page_kretprobe"], kernels: "5.10 to 6.8"),
            Rung(
                "rss_stat", programs: followed + ["user_fault_btf", "kernel_fault_btf"], requires: splitCounters,
                maps: ["page_faults"], kernels: "6.2 and newer",
                cannotSee: """
                    pages read ahead and not touched, tmpfs, swapoff, pages the kernel touches \
                    without a fault; pages found in the swap cache are counted
                    """),
            Rung(
                "rss_stat", programs: counted, requires: [.tracepointArgument("rss_stat", 2, "long int")],
                kernels: "5.10 to 6.1",
                cannotSee: """
                    pages read ahead and not touched, tmpfs, swapoff, up to 64 pages a thread until \
                    later; pages found in the swap cache are counted
                    """),
        ])

    private static let sources = Ladder(
        "sources", "which pages zswap had and which were zero-filled",
        rungs: [
            Rung("tracepoint", programs: [], requires: [memcgEvents], kernels: "6.13 and newer"),
            Rung(
                "fentry", programs: ["zswap_int_fexit"], requires: [.functionResult("zswap_load", "int")],
                kernels: "6.14 and newer"),
            Rung(
                "fentry", programs: ["zswap_bool_fexit"], requires: [.functionResult("zswap_load", "bool")],
                kernels: "6.6 to 6.13"),
            Rung("fentry", programs: ["frontswap_fexit"], kernels: "5.10 to 6.5"),
            Rung(
                "kprobe", programs: ["zswap_int_kretprobe"], requires: [.functionResult("zswap_load", "int")],
                kernels: "6.14 and newer"),
            Rung(
                "kprobe", programs: ["zswap_bool_kretprobe"],
                requires: [.functionResult("zswap_load", "bool")], kernels: "6.6 to 6.13"),
            Rung("kprobe", programs: ["frontswap_kretprobe"], kernels: "5.10 to 6.5"),
        ], without: "pages of zswap and zero-filled pages are not told apart")

    private static let waits = Ladder(
        "waits", "the time that page faults on swap take",
        rungs: [
            Rung(
                "fentry", programs: ["swap_fault_fentry", "swap_fault_fexit"],
                requires: [.returnsValue("do_swap_page")], kernels: "5.10 and newer",
                cannotSee: "faults on tmpfs"),
            Rung(
                "kprobe", programs: ["swap_fault_kprobe", "swap_fault_kretprobe"], kernels: "5.10 and newer",
                cannotSee: "faults on tmpfs"),
            Rung(
                "tracepoint", programs: followed + ["user_fault_btf", "kernel_fault_btf"], requires: splitCounters,
                maps: ["page_faults"], kernels: "6.2 and newer, x86",
                cannotSee: "faults on tmpfs; pages the kernel touches without a fault"),
        ], without: "waits are unknown")

    private static let swapouts = Ladder(
        "swapouts", "a process's pages that go to swap",
        rungs: [
            Rung(
                "tracepoint", programs: followed, requires: splitCounters, maps: ["page_faults"],
                kernels: "6.2 and newer", cannotSee: "tmpfs"),
            Rung(
                "tracepoint", programs: counted, requires: [.tracepointArgument("rss_stat", 2, "long int")],
                kernels: "5.10 to 6.1", cannotSee: "tmpfs"),
        ], without: "swap-outs are unknown")

    static func configure(_ object: borrowing OpenObject, _ resolution: Resolution) throws(BPFError) {
        var config = swapin_config()
        config.pages_by_fault = resolution.rung(of: "pages") == "rss_stat" ? 1 : 0
        config.waits_by_fault = resolution.rung(of: "waits") == "tracepoint" ? 1 : 0
        config.asked_by_event = resolution.rung(of: "pages") == "tracepoint" ? 1 : 0
        config.swapouts = resolution.rung(of: "swapouts") == nil ? 0 : 1
        try object.setReadOnlyData(".rodata.config", to: config)
    }
}
