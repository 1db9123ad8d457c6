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
                    programs: ["fault_entry", "fault_exit", "ptes_set", "pmd_set_folio"],
                    requires: [.functionArgument("do_set_pmd", 1, "folio *")], cannotSee: Self.mapped)
            case .fentryRange:
                Rung(
                    .fentry, on: Self.range.through(6, 16, "then do_set_pmd() takes a folio"),
                    programs: ["fault_entry", "fault_exit", "ptes_set", "pmd_set"],
                    requires: [.functionArgument("do_set_pmd", 1, "page *")], cannotSee: Self.mapped)
            case .fentryPTE:
                Rung(
                    .fentry, on: Self.pte, programs: ["fault_entry", "fault_exit", "pte_set", "pmd_set"],
                    requires: [.functionArgument("do_set_pmd", 1, "page *")], cannotSee: Self.mapped)
            case .fentryAllocPTE:
                Rung(
                    .fentry, on: Self.allocPTE, programs: ["fault_entry", "fault_exit", "pte_allocated"],
                    cannotSee: Self.mapped)
            case .kprobeRange:
                Rung(
                    .kprobe, on: Self.range,
                    programs: ["fault_enter", "fault_leave", "ptes_set_enter", "pmd_set_enter", "pmd_set_leave"],
                    cannotSee: Self.mapped)
            case .kprobePTE:
                Rung(
                    .kprobe, on: Self.pte,
                    programs: ["fault_enter", "fault_leave", "pte_set_enter", "pmd_set_enter", "pmd_set_leave"],
                    cannotSee: Self.mapped)
            case .kprobeAllocPTE:
                Rung(
                    .kprobe, on: Self.allocPTE,
                    programs: ["fault_enter", "fault_leave", "pte_alloc_enter", "pte_alloc_leave"],
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
                programs: ["fault", "mapped"] + window + ["mm_by_exec", "mm_by_fork", "mm_gone", "mm_at_start"],
                requires: [.feature(.perCPULookup)], maps: ["mapped_spaces", "mapped_parts", "percpu_probe"],
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
                    window: ["mapped_window"], cannotSee: Faults.mapped + ", and the file behind a huge mapping")
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
