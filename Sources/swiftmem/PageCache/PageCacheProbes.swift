// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes

/// The hooks of BPF/pagecache, as the ladders that cachestat and cachetop stand on. Rungs of one
/// mechanism in several ladders belong together: `SWIFTMEM_RUNG=cachestat=fentry` asks for it in all that have it.
/// A rung `partial` stands where nothing tells what the ladder is for, and the tool goes on without it.
enum PageCache {
    enum State: String, Ladder {
        case taskStorage = "task_storage"
        case threadMap = "thread_map"
        static let id = "state"
        static let sees = "what a task is in the middle of"

        var rung: Rung {
            switch self {
            case .taskStorage:
                Rung(
                    .map, on: .from(5, 11, "maps of task storage", orBackported: true),
                    requires: [.feature(.taskStorage)], maps: ["requests"])
            case .threadMap: Rung(.map, on: .all, programs: ["task_exit_btf"], maps: ["requests_by_thread"])
            }
        }
    }

    enum Reads: String, Ladder {
        case tracepointReturn = "tracepoint_return"
        case tracepoint
        case fentryReadSplice = "fentry_read_splice"
        case fentryRead = "fentry_read"
        case fentryBufferedRead = "fentry_buffered_read"
        case kprobeReadSplice = "kprobe_read_splice"
        case kprobeRead = "kprobe_read"
        case kprobeBufferedRead = "kprobe_buffered_read"
        case partial
        static let id = "reads"
        static let sees = "pages that reads ask for"

        var rung: Rung {
            switch self {
            case .tracepointReturn:
                // a program on every call's return: only where there is something for it to see
                Rung(
                    .tracepoint, on: Self.batches, programs: ["read_batch_btf", "read_end_btf"],
                    requires: [.mounted("squashfs")], cannotSee: Self.otherFiles)
            case .tracepoint:
                Rung(
                    .tracepoint, on: Self.batches, programs: ["read_batch_btf"],
                    cannotSee: Self.otherFiles + ", and ends of files on a squashfs that is mounted later")
            case .fentryReadSplice:
                Rung(
                    .fentry, on: Self.readAndSplice, programs: ["read_fexit", "splice_fexit"],
                    cannotSee: Self.otherFiles)
            case .fentryRead:
                Rung(
                    .fentry, on: Self.readAlone, programs: ["read_fexit"], requires: [Self.splicesByReading],
                    cannotSee: Self.otherFiles)
            case .fentryBufferedRead:
                Rung(
                    .fentry, on: Self.bufferedRead, programs: ["buffered_read_fexit"], cannotSee: Self.otherFiles)
            case .kprobeReadSplice:
                Rung(
                    .kprobe, on: Self.readAndSplice,
                    programs: ["read_kprobe", "read_kretprobe", "splice_kprobe", "splice_kretprobe"],
                    cannotSee: Self.otherFiles)
            case .kprobeRead:
                Rung(
                    .kprobe, on: Self.readAlone, programs: ["read_kprobe", "read_kretprobe"],
                    requires: [Self.splicesByReading], cannotSee: Self.otherFiles)
            case .kprobeBufferedRead:
                Rung(
                    .kprobe, on: Self.bufferedRead, programs: ["buffered_read_kprobe", "buffered_read_kretprobe"],
                    cannotSee: Self.otherFiles)
            case .partial:
                Rung(.indirect, on: .all, cannotSee: "accesses: hits and ratios are not known")
            }
        }

        /// Is every page counted that a read asks for?
        var seesAccesses: Bool {
            switch self {
            case .tracepointReturn, .tracepoint, .fentryReadSplice, .fentryRead, .fentryBufferedRead,
                .kprobeReadSplice, .kprobeRead, .kprobeBufferedRead:
                true
            case .partial: false
            }
        }

        private static let batches = KernelRange.from(6, 12, "tracepoint mm_filemap_get_pages", orBackported: true)
        private static let otherFiles = "reads of tmpfs and hugetlbfs"
        /// Where filemap_splice_read() is there and its hook refused, filemap_read() alone would miss what is spliced.
        static let splicesByReading = Requirement.lacksFunction("filemap_splice_read")
        static let readAndSplice = KernelRange.from(
            6, 5, "files are spliced by filemap_splice_read()", orBackported: true)
        static let readAlone = KernelRange.from(
            5, 12, "generic_file_buffered_read() became filemap_read()", orBackported: true
        ).through(6, 4, "then files are spliced by filemap_splice_read()")
        private static let bufferedRead = KernelRange.through(
            5, 11, "then generic_file_buffered_read() is filemap_read()")
    }

    enum Insertions: String, Ladder {
        /// Functions say what a page is for, but only where reads need functions too:
        /// what the tracepoint infers is as true on all but FUSE.
        case tracepoint
        case fentryFolio = "fentry_folio"
        case fentryFolioPage = "fentry_folio_page"
        case fentryPage = "fentry_page"
        case kprobeFolio = "kprobe_folio"
        case kprobeFolioPage = "kprobe_folio_page"
        case kprobePage = "kprobe_page"
        case partialFolio = "partial_folio"
        case partialPage = "partial_page"
        static let id = "insertions"
        static let sees = "pages brought into the cache"

        var rung: Rung {
            switch self {
            case .tracepoint:
                Rung(
                    .tracepoint, on: .from(6, 12, "tracepoint mm_filemap_get_pages", orBackported: true),
                    programs: ["insert_btf", "folio_dirty_claim_btf"],
                    requires: [.tracepointArgument("mm_filemap_get_pages", 0, "address_space *")],
                    cannotSee: Self.writeThrough)
            case .fentryFolio: Rung(.fentry, on: Self.folio, programs: ["folio_insert_fexit", "folio_dirty_btf"])
            case .fentryFolioPage:
                Rung(.fentry, on: Self.folioPage, programs: ["folio_insert_fexit", "page_dirty_btf"])
            case .fentryPage:
                Rung(
                    .fentry, on: Self.page, programs: ["page_insert_fexit", "page_dirty_btf"],
                    requires: [Self.addsPages])
            case .kprobeFolio:
                Rung(
                    .kprobe, on: Self.folio, programs: ["folio_insert_kprobe", "insert_purpose_btf", "folio_dirty_btf"])
            case .kprobeFolioPage:
                Rung(
                    .kprobe, on: Self.folioPage,
                    programs: ["folio_insert_kprobe", "insert_purpose_btf", "page_dirty_btf"])
            case .kprobePage:
                Rung(
                    .kprobe, on: Self.page,
                    programs: ["page_insert_kprobe", "insert_purpose_btf", "page_dirty_btf"],
                    requires: [Self.addsPages])
            case .partialFolio:
                Rung(
                    .tracepoint, on: Self.folio, programs: ["insert_btf", "folio_dirty_claim_btf"],
                    cannotSee: Self.writeThrough)
            case .partialPage:
                Rung(
                    .tracepoint, on: .through(5, 17, Self.folioDirtied),
                    programs: ["insert_btf", "page_dirty_claim_btf"],
                    cannotSee: Self.writeThrough + "; before 5.15, what a task reads ahead and then writes, as missed")
            }
        }

        private static let writeThrough = """
            why a page came where nothing dirties it: what FUSE writes through counts as missed
            """
        private static let folioDirtied = "then the tracepoint is writeback_dirty_folio"
        private static let folio = KernelRange.from(5, 18, "tracepoint writeback_dirty_folio", orBackported: true)
        private static let folioPage = KernelRange.from(5, 16, "filemap_add_folio()", orBackported: true)
            .through(5, 17, folioDirtied)
        private static let page = KernelRange.through(5, 15, "then filemap_add_folio() adds, and not for its wrapper")
        /// With filemap_add_folio() add_to_page_cache_lru() is a wrapper that nobody calls.
        private static let addsPages = Requirement.lacksFunction("filemap_add_folio")
    }

    enum Removals: String, Ladder {
        case tracepoint
        static let id = "removals"
        static let sees = "pages that leave the cache"
        static let without: String? = "evicted pages are not shown"

        var rung: Rung { Rung(.tracepoint, on: .all, programs: ["remove_btf"]) }
    }
}
