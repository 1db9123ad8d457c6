// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes

/// The hooks of BPF/pagecache/pagecache_probes.h, as the ladders that cachestat and
/// cachetop stand on. Rungs of one name in several ladders belong together:
/// `SWIFTMEM_RUNG=cachestat=fentry` asks for it in all that have it.
enum PageCacheProbes {
    /// A ladder stands here where nothing tells what it is for, and the tool goes on
    /// without it.
    static let partial = "partial"

    static let state = Ladder(
        "state", "what a task is in the middle of",
        rungs: [
            Rung(
                "task-storage", programs: [], requires: [.feature("task storage")],
                maps: ["requests"], kernels: "5.11 and newer"),
            Rung(
                "thread-map", programs: ["task_exit_btf"], maps: ["requests_by_thread"],
                kernels: "5.8 and newer"),
        ])

    static let reads = Ladder(
        "reads", "pages that reads ask for",
        rungs: [
            Rung(
                "tracepoint", programs: ["read_batch_btf", "last_read_btf"], kernels: "6.12 and newer",
                cannotSee: "reads of tmpfs and hugetlbfs"),
            Rung(
                "fentry", programs: ["read_fexit", "splice_fexit"], kernels: "6.5 and newer",
                cannotSee: "reads of tmpfs and hugetlbfs"),
            Rung(
                "fentry", programs: ["read_fexit"], kernels: "5.12 to 6.4",
                cannotSee: "reads of tmpfs and hugetlbfs"),
            Rung(
                "fentry", programs: ["buffered_read_fexit"], kernels: "5.10 and 5.11",
                cannotSee: "reads of tmpfs and hugetlbfs"),
            Rung(
                "kprobe", programs: ["read_kprobe", "read_kretprobe", "splice_kprobe", "splice_kretprobe"],
                kernels: "6.5 and newer", cannotSee: "reads of tmpfs and hugetlbfs"),
            Rung(
                "kprobe", programs: ["read_kprobe", "read_kretprobe"], kernels: "5.12 to 6.4",
                cannotSee: "reads of tmpfs and hugetlbfs"),
            Rung(
                "kprobe", programs: ["buffered_read_kprobe", "buffered_read_kretprobe"],
                kernels: "5.10 and 5.11", cannotSee: "reads of tmpfs and hugetlbfs"),
            Rung(
                partial, programs: [], kernels: "any",
                cannotSee: "accesses: hits and ratios are not known"),
        ])

    static let insertions = Ladder(
        "insertions", "pages brought into the cache",
        rungs: [
            // Functions say what a page is for, but only where reads need functions too:
            // what the tracepoint infers is as true on all but FUSE.
            Rung(
                "tracepoint", programs: ["insert_btf", "folio_dirty_claim_btf"],
                requires: [.tracepointArgument("mm_filemap_get_pages", 0, "address_space *")],
                kernels: "6.12 and newer", cannotSee: writeThrough),
            Rung(
                "fentry", programs: ["folio_insert_fexit", "folio_dirty_btf"], kernels: "5.18 and newer"),
            Rung(
                "fentry", programs: ["folio_insert_fexit", "page_dirty_btf"],
                kernels: "5.16 and 5.17"),
            Rung(
                "fentry", programs: ["page_insert_fexit", "page_dirty_btf"], kernels: "5.10 to 5.15"),
            Rung(
                "kprobe", programs: ["folio_insert_kprobe", "insert_purpose_btf", "folio_dirty_btf"],
                kernels: "5.18 and newer"),
            Rung(
                "kprobe", programs: ["folio_insert_kprobe", "insert_purpose_btf", "page_dirty_btf"],
                kernels: "5.16 and 5.17"),
            Rung(
                "kprobe", programs: ["page_insert_kprobe", "insert_purpose_btf", "page_dirty_btf"],
                kernels: "5.10 to 5.15"),
            Rung(
                partial, programs: ["insert_btf", "folio_dirty_claim_btf"], kernels: "5.18 and newer",
                cannotSee: writeThrough),
            Rung(
                partial, programs: ["insert_btf", "page_dirty_claim_btf"], kernels: "5.8 to 5.17",
                cannotSee: writeThrough),
        ])

    private static let writeThrough = """
        why a page came where nothing dirties it: what FUSE writes through counts as missed
        """

    /// - Parameter byFile: functions first, for they name the file of every page.
    static func faults(byFile: Bool) -> Ladder {
        let tracepoint = Rung(
            "tracepoint",
            programs: ["file_fault_btf", "file_rss_btf"] + (byFile ? ["map_window_btf"] : [])
                + ["mm_exec_btf", "mm_fork_btf", "mm_exit_btf", "mm_start_iter"],
            requires: [.feature("per-CPU look-up")],
            maps: ["mapped_spaces", "mapped_parts", "percpu_probe"], kernels: "6.12 and newer",
            cannotSee: "pages that are mapped already"
                + (byFile ? ", and the file behind a huge mapping" : ""))
        let functions = [
            Rung(
                "fentry",
                programs: ["file_fault_fentry", "file_fault_fexit", "set_ptes_fentry", "set_pmd_folio_fexit"],
                requires: [.functionArgument("do_set_pmd", 1, "folio *")],
                kernels: "6.17 and newer", cannotSee: "pages that are mapped already"),
            Rung(
                "fentry", programs: ["file_fault_fentry", "file_fault_fexit", "set_ptes_fentry", "set_pmd_fexit"],
                requires: [.functionArgument("do_set_pmd", 1, "page *")],
                kernels: "6.6 to 6.16", cannotSee: "pages that are mapped already"),
            Rung(
                "fentry", programs: ["file_fault_fentry", "file_fault_fexit", "set_pte_fentry", "set_pmd_fexit"],
                requires: [.functionArgument("do_set_pmd", 1, "page *")],
                kernels: "5.12 to 6.5", cannotSee: "pages that are mapped already"),
            Rung(
                "fentry", programs: ["file_fault_fentry", "file_fault_fexit", "alloc_set_pte_fexit"],
                kernels: "5.10 and 5.11", cannotSee: "pages that are mapped already"),
        ]
        let breakpoints = [
            Rung(
                "kprobe",
                programs: [
                    "file_fault_kprobe", "file_fault_kretprobe", "set_ptes_kprobe", "set_pmd_kprobe",
                    "set_pmd_kretprobe",
                ],
                kernels: "6.6 and newer", cannotSee: "pages that are mapped already"),
            Rung(
                "kprobe",
                programs: [
                    "file_fault_kprobe", "file_fault_kretprobe", "set_pte_kprobe", "set_pmd_kprobe",
                    "set_pmd_kretprobe",
                ],
                kernels: "5.12 to 6.5", cannotSee: "pages that are mapped already"),
            Rung(
                "kprobe",
                programs: [
                    "file_fault_kprobe", "file_fault_kretprobe", "alloc_set_pte_kprobe", "alloc_set_pte_kretprobe",
                ],
                kernels: "5.10 and 5.11", cannotSee: "pages that are mapped already"),
        ]
        let none = Rung(
            partial, programs: [], kernels: "any",
            cannotSee: "accesses through mappings: hits and ratios are not known")
        return Ladder(
            "faults", "pages that page faults map",
            rungs: (byFile ? functions + [tracepoint] : [tracepoint] + functions) + breakpoints
                + [none])
    }

    static let removals = Ladder(
        "removals", "pages that leave the cache",
        rungs: [Rung("tracepoint", programs: ["remove_btf"], kernels: "5.8 and newer")],
        without: "evicted pages are not shown")

    private static let readaheadMaps = ["unused_pages", "readahead"]
    private static let comeAndGo = ["ahead_insert_btf", "ahead_dirty_btf", "ahead_remove_btf"]

    /// Bits by page, whose atomic operations are Linux 5.12's; the function of that kernel
    /// stands for them.
    static let readahead = Ladder(
        "readahead", "pages read ahead that are used, or dropped unused",
        rungs: [
            Rung(
                "tracepoint",
                programs: comeAndGo + [
                    "ahead_read_btf", "ahead_map_window_btf", "ahead_fault_btf", "ahead_fault_address_btf",
                    "ahead_rss_btf",
                ],
                maps: readaheadMaps, kernels: "6.12 and newer, x86"),
            Rung(
                "fentry",
                programs: comeAndGo + [
                    "ahead_read_fexit", "ahead_splice_fexit", "ahead_map_window_fentry", "ahead_fault_fexit",
                    "ahead_set_pmd_fexit",
                ],
                requires: [.functionArgument("do_set_pmd", 1, "page *")], maps: readaheadMaps, kernels: "6.5 to 6.16"),
            Rung(
                "fentry",
                programs: comeAndGo + [
                    "ahead_read_fexit", "ahead_map_window_fentry", "ahead_fault_fexit", "ahead_set_pmd_fexit",
                ],
                requires: [.functionArgument("do_set_pmd", 1, "page *")], maps: readaheadMaps, kernels: "5.18 to 6.4"),
        ],
        without: "what becomes of pages read ahead is not shown")
}

extension Resolution {
    /// Does every page that a task accesses count? Hits and ratios are known only then.
    var seesAccesses: Bool {
        rung(of: "reads") != PageCacheProbes.partial && rung(of: "faults") != PageCacheProbes.partial
    }
}
