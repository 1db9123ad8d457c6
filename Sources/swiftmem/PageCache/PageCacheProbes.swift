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
                "thread-map", programs: ["task_gone"], maps: ["requests_by_thread"],
                kernels: "5.8 and newer"),
        ])

    static let reads = Ladder(
        "reads", "pages that reads ask for",
        rungs: [
            Rung(
                "tracepoint", programs: ["read_access", "last_read"], kernels: "6.12 and newer",
                cannotSee: "reads of tmpfs and hugetlbfs"),
            Rung(
                "fentry", programs: ["read_exit", "splice_exit"], kernels: "6.5 and newer",
                cannotSee: "reads of tmpfs and hugetlbfs"),
            Rung(
                "fentry", programs: ["read_exit"], kernels: "5.12 to 6.4",
                cannotSee: "reads of tmpfs and hugetlbfs"),
            Rung(
                "fentry", programs: ["buffered_read_exit"], kernels: "5.10 and 5.11",
                cannotSee: "reads of tmpfs and hugetlbfs"),
            Rung(
                "kprobe", programs: ["read_enter", "read_leave", "splice_enter", "splice_leave"],
                kernels: "6.5 and newer", cannotSee: "reads of tmpfs and hugetlbfs"),
            Rung(
                "kprobe", programs: ["read_enter", "read_leave"], kernels: "5.12 to 6.4",
                cannotSee: "reads of tmpfs and hugetlbfs"),
            Rung(
                "kprobe", programs: ["buffered_read_enter", "buffered_read_leave"],
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
                "tracepoint", programs: ["inserted", "dirtied"],
                requires: [.tracepointArgument("mm_filemap_get_pages", 0, "address_space *")],
                kernels: "6.12 and newer", cannotSee: writeThrough),
            Rung(
                "fentry", programs: ["folio_added", "dirtied_only"], kernels: "5.18 and newer"),
            Rung(
                "fentry", programs: ["folio_added", "page_dirtied_only"],
                kernels: "5.16 and 5.17"),
            Rung(
                "fentry", programs: ["page_added", "page_dirtied_only"], kernels: "5.10 to 5.15"),
            Rung(
                "kprobe", programs: ["folio_adding", "inserted_by_function", "dirtied_only"],
                kernels: "5.18 and newer"),
            Rung(
                "kprobe", programs: ["folio_adding", "inserted_by_function", "page_dirtied_only"],
                kernels: "5.16 and 5.17"),
            Rung(
                "kprobe", programs: ["page_adding", "inserted_by_function", "page_dirtied_only"],
                kernels: "5.10 to 5.15"),
            Rung(
                partial, programs: ["inserted", "dirtied"], kernels: "5.18 and newer",
                cannotSee: writeThrough),
            Rung(
                partial, programs: ["inserted", "page_dirtied"], kernels: "5.8 to 5.17",
                cannotSee: writeThrough),
        ])

    private static let writeThrough = """
        why a page came where nothing dirties it: what FUSE writes through counts as missed
        """

    /// - Parameter byFile: functions first, for they name the file of every page.
    static func faults(byFile: Bool) -> Ladder {
        let tracepoint = Rung(
            "tracepoint",
            programs: ["fault", "mapped"] + (byFile ? ["mapped_window"] : [])
                + ["mm_by_exec", "mm_by_fork", "mm_gone", "mm_at_start"],
            requires: [.feature("per-CPU look-up")],
            maps: ["mapped_spaces", "mapped_parts", "percpu_probe"], kernels: "6.12 and newer",
            cannotSee: "pages that are mapped already"
                + (byFile ? ", and the file behind a huge mapping" : ""))
        let functions = [
            Rung(
                "fentry", programs: ["fault_entry", "fault_exit", "ptes_set", "pmd_set_folio"],
                requires: [.functionArgument("do_set_pmd", 1, "folio *")],
                kernels: "6.17 and newer", cannotSee: "pages that are mapped already"),
            Rung(
                "fentry", programs: ["fault_entry", "fault_exit", "ptes_set", "pmd_set"],
                requires: [.functionArgument("do_set_pmd", 1, "page *")],
                kernels: "6.6 to 6.16", cannotSee: "pages that are mapped already"),
            Rung(
                "fentry", programs: ["fault_entry", "fault_exit", "pte_set", "pmd_set"],
                requires: [.functionArgument("do_set_pmd", 1, "page *")],
                kernels: "5.12 to 6.5", cannotSee: "pages that are mapped already"),
            Rung(
                "fentry", programs: ["fault_entry", "fault_exit", "pte_allocated"],
                kernels: "5.10 and 5.11", cannotSee: "pages that are mapped already"),
        ]
        let breakpoints = [
            Rung(
                "kprobe",
                programs: [
                    "fault_enter", "fault_leave", "ptes_set_enter", "pmd_set_enter", "pmd_set_leave",
                ],
                kernels: "6.6 and newer", cannotSee: "pages that are mapped already"),
            Rung(
                "kprobe",
                programs: [
                    "fault_enter", "fault_leave", "pte_set_enter", "pmd_set_enter", "pmd_set_leave",
                ],
                kernels: "5.12 to 6.5", cannotSee: "pages that are mapped already"),
            Rung(
                "kprobe",
                programs: ["fault_enter", "fault_leave", "pte_alloc_enter", "pte_alloc_leave"],
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
        rungs: [Rung("tracepoint", programs: ["removed"], kernels: "5.8 and newer")],
        without: "evicted pages are not shown")

    private static let readaheadMaps = ["unused_pages", "readahead"]
    private static let comeAndGo = ["ahead_came", "ahead_written", "ahead_went"]

    /// Bits by page, whose atomic operations are Linux 5.12's; the function of that kernel
    /// stands for them.
    static let readahead = Ladder(
        "readahead", "pages read ahead that are used, or dropped unused",
        rungs: [
            Rung(
                "tracepoint",
                programs: comeAndGo + [
                    "ahead_read", "ahead_mapped", "ahead_faulted", "ahead_fault_at", "ahead_mapped_huge",
                ],
                maps: readaheadMaps, kernels: "6.12 and newer, x86"),
            Rung(
                "fentry",
                programs: comeAndGo + [
                    "ahead_read_exit", "ahead_splice_exit", "ahead_map_entry", "ahead_fault_exit",
                    "ahead_pmd_exit",
                ],
                requires: [.functionArgument("do_set_pmd", 1, "page *")], maps: readaheadMaps, kernels: "6.5 to 6.16"),
            Rung(
                "fentry",
                programs: comeAndGo + [
                    "ahead_read_exit", "ahead_map_entry", "ahead_fault_exit", "ahead_pmd_exit",
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
