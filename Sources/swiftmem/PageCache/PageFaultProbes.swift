// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes

extension PageCache {
    enum Faults: String, Ladder {
        case tracepoint
        case fentryFolio = "fentry_folio"
        case fentryRange = "fentry_range"
        case fentryPTE = "fentry_pte"
        case fentryAllocPTE = "fentry_alloc_pte"
        case kprobeRange = "kprobe_range"
        case kprobePTE = "kprobe_pte"
        case kprobeAllocPTE = "kprobe_alloc_pte"
        case partial
        static let id = "faults"
        static let sees = "pages that page faults map"

        var rung: Rung {
            switch self {
            case .tracepoint: Self.byTracepoint(window: [], cannotSee: Self.mapped)
            case .fentryFolio:
                Rung(
                    .fentry, on: .from(6, 17, "do_set_pmd() takes a folio", orBackported: true),
                    programs: ["file_fault_fentry", "file_fault_fexit", "set_ptes_fentry", "set_pmd_folio_fexit"],
                    requires: [.functionArgument("do_set_pmd", 1, "folio *")], cannotSee: Self.mapped)
            case .fentryRange:
                Rung(
                    .fentry, on: Self.range.through(6, 16, "then do_set_pmd() takes a folio"),
                    programs: ["file_fault_fentry", "file_fault_fexit", "set_ptes_fentry", "set_pmd_fexit"],
                    requires: [.functionArgument("do_set_pmd", 1, "page *")], cannotSee: Self.mapped)
            case .fentryPTE:
                Rung(
                    .fentry, on: Self.pte,
                    programs: ["file_fault_fentry", "file_fault_fexit", "set_pte_fentry", "set_pmd_fexit"],
                    requires: [.functionArgument("do_set_pmd", 1, "page *")], cannotSee: Self.mapped)
            case .fentryAllocPTE:
                Rung(
                    .fentry, on: Self.allocPTE,
                    programs: ["file_fault_fentry", "file_fault_fexit", "alloc_set_pte_fexit"],
                    cannotSee: Self.mapped)
            case .kprobeRange:
                Rung(
                    .kprobe, on: Self.range,
                    programs: [
                        "file_fault_kprobe", "file_fault_kretprobe", "set_ptes_kprobe", "set_pmd_kprobe",
                        "set_pmd_kretprobe",
                    ],
                    cannotSee: Self.mapped)
            case .kprobePTE:
                Rung(
                    .kprobe, on: Self.pte,
                    programs: [
                        "file_fault_kprobe", "file_fault_kretprobe", "set_pte_kprobe", "set_pmd_kprobe",
                        "set_pmd_kretprobe",
                    ],
                    cannotSee: Self.mapped)
            case .kprobeAllocPTE:
                Rung(
                    .kprobe, on: Self.allocPTE,
                    programs: [
                        "file_fault_kprobe", "file_fault_kretprobe", "alloc_set_pte_kprobe", "alloc_set_pte_kretprobe",
                    ],
                    cannotSee: Self.mapped)
            case .partial:
                Rung(.indirect, on: .all, cannotSee: "accesses through mappings: hits and ratios are not known")
            }
        }

        /// Is every page counted that a fault maps?
        var seesAccesses: Bool {
            switch self {
            case .tracepoint, .fentryFolio, .fentryRange, .fentryPTE, .fentryAllocPTE, .kprobeRange, .kprobePTE,
                .kprobeAllocPTE:
                true
            case .partial: false
            }
        }

        /// - Parameter window: programs that learn which window of a file a fault looks at.
        fileprivate static func byTracepoint(window: [String], cannotSee: String) -> Rung {
            Rung(
                .tracepoint, on: .from(6, 12, "tracepoint mm_filemap_fault", orBackported: true),
                programs: ["file_fault_btf", "file_rss_btf"] + window + [
                    "mm_exec_btf", "mm_fork_btf", "mm_exit_btf", "mm_start_iter",
                ],
                requires: [.feature(.perCPULookup)], maps: ["rss_spaces", "rss_parts", "percpu_probe"],
                cannotSee: cannotSee)
        }

        fileprivate static let mapped = "pages that are mapped already"
        private static let range = KernelRange.from(6, 6, "set_pte_range() maps several pages", orBackported: true)
        private static let pte = KernelRange.from(5, 12, "do_set_pte()", orBackported: true)
            .through(6, 5, "then set_pte_range() maps several pages")
        private static let allocPTE = KernelRange.through(5, 11, "then do_set_pte() maps what alloc_set_pte() did")
    }

    /// The same rungs, functions first: they name the file of every page.
    enum FileFaults: String, Ladder {
        case fentryFolio = "fentry_folio"
        case fentryRange = "fentry_range"
        case fentryPTE = "fentry_pte"
        case fentryAllocPTE = "fentry_alloc_pte"
        case tracepoint
        case kprobeRange = "kprobe_range"
        case kprobePTE = "kprobe_pte"
        case kprobeAllocPTE = "kprobe_alloc_pte"
        case partial
        static let id = Faults.id
        static let sees = Faults.sees

        var rung: Rung {
            switch self {
            case .fentryFolio: Faults.fentryFolio.rung
            case .fentryRange: Faults.fentryRange.rung
            case .fentryPTE: Faults.fentryPTE.rung
            case .fentryAllocPTE: Faults.fentryAllocPTE.rung
            case .tracepoint:
                Faults.byTracepoint(
                    window: ["map_window_btf"], cannotSee: Faults.mapped + ", and the file behind a huge mapping")
            case .kprobeRange: Faults.kprobeRange.rung
            case .kprobePTE: Faults.kprobePTE.rung
            case .kprobeAllocPTE: Faults.kprobeAllocPTE.rung
            case .partial: Faults.partial.rung
            }
        }
    }
}

extension Resolution {
    /// Does every page that a task accesses count? Hits and ratios are known only then.
    var seesAccesses: Bool {
        // cachetop's ladder of faults has the same rungs
        self[PageCache.Reads.self]?.seesAccesses == true && self[PageCache.Faults.self]?.seesAccesses == true
    }
}
