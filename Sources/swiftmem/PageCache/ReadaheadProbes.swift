// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes

extension PageCache {
    /// Bits by page, whose atomic operations are Linux 5.12's.
    enum Readahead: String, Ladder {
        case tracepoint
        case fentryReadSpliceFolio = "fentry_read_splice_folio"
        case fentryReadSplice = "fentry_read_splice"
        case fentryRead = "fentry_read"
        static let id = "readahead"
        static let sees = "pages read ahead that are used, or dropped unused"
        static let without: String? = "what becomes of pages read ahead is not shown"

        var rung: Rung {
            switch self {
            case .tracepoint:
                // page_fault_user, which tells the address of a huge mapping, is x86's
                Rung(
                    .tracepoint, on: .from(6, 12, "tracepoint mm_filemap_get_pages", orBackported: true),
                    programs: Self.comeAndGo + [
                        "ahead_read_btf", "ahead_read_end_btf", "ahead_map_window_btf", "ahead_fault_btf",
                        "ahead_fault_address_btf", "ahead_rss_btf",
                    ],
                    reliesOn: [
                        Reliance(on: Reads.tracepointReturn, .tracepoint, what: "where a read's range begins"),
                        Reliance(on: Faults.tracepoint, what: "how many pages a fault mapped, and of which file"),
                    ], maps: Self.maps)
            case .fentryReadSpliceFolio:
                Rung(
                    .fentry, on: .from(6, 17, "do_set_pmd() takes a folio"),
                    programs: Self.comeAndGo + [
                        "ahead_read_fexit", "ahead_splice_fexit", "ahead_set_ptes_fentry", "ahead_fault_fexit",
                        "ahead_set_pmd_folio_fexit",
                    ], requires: [.functionArgument("do_set_pmd", 1, "folio *")], maps: Self.maps)
            case .fentryReadSplice:
                Rung(
                    .fentry, on: Reads.readAndSplice.through(6, 16, Self.folioMapped),
                    programs: Self.comeAndGo + [
                        "ahead_read_fexit", "ahead_splice_fexit", "ahead_map_window_fentry", "ahead_fault_fexit",
                        "ahead_set_pmd_fexit",
                    ], requires: [Self.mapsPages], maps: Self.maps)
            case .fentryRead:
                Rung(
                    .fentry,
                    on: .from(5, 18, "tracepoint writeback_dirty_folio", orBackported: true)
                        .through(6, 4, "then files are spliced by filemap_splice_read()"),
                    programs: Self.comeAndGo + [
                        "ahead_read_fexit", "ahead_map_window_fentry", "ahead_fault_fexit", "ahead_set_pmd_fexit",
                    ], requires: [Self.mapsPages, Reads.splicesByReading], maps: Self.maps)
            }
        }

        private static let comeAndGo = ["ahead_insert_btf", "ahead_dirty_btf", "ahead_write_btf", "ahead_remove_btf"]
        private static let maps = ["unused_pages", "readahead"]
        private static let folioMapped = "then do_set_pmd() takes a folio"
        private static let mapsPages = Requirement.functionArgument("do_set_pmd", 1, "page *")
    }
}
