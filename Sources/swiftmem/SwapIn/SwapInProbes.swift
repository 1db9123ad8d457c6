// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import TraceRecords

extension SwapIn {
    static var modes: [ToolMode] { [mode(detailed: true)] }

    /// - Parameter detailed: not only the pages.
    static func mode(detailed: Bool, filter: filter_config = filter_config()) -> ToolMode {
        let ladders: [any Ladder.Type] =
            detailed ? [Pages.self, Sources.self, Waits.self, SwapOuts.self] : [Pages.self]
        return ToolMode(of: "swapin", ladders: ladders) { (object, resolution) throws(BPFError) in
            let counting = resolution[Pages.self]?.counting
            var config = swapin_config()
            config.pages_by_fault = counting == .entries ? 1 : 0
            config.waits_by_fault = resolution[Waits.self] == .tracepoint ? 1 : 0
            config.asked_by_event = counting == .events ? 1 : 0
            config.swapouts = resolution[SwapOuts.self] == nil ? 0 : 1
            try object.setReadOnlyData(".rodata.config", to: config)
            try object.setReadOnlyData(".rodata.filter", to: filter)
        }
    }

    enum Pages: String, Ladder {
        case tracepoint
        case fentryFolio = "fentry_folio"
        case fentryPage = "fentry_page"
        case kprobeFolio = "kprobe_folio"
        case kprobePage = "kprobe_page"
        case rssStatSplit = "rss_stat_split"
        case rssStatBatched = "rss_stat_batched"
        static let id = "pages"
        static let sees = "pages that come back from swap"

        var rung: Rung {
            switch self {
            case .tracepoint:
                Rung(
                    .tracepoint, on: MemcgEvents.kernels, programs: ["memcg_event_btf"],
                    requires: [MemcgEvents.required],
                    cannotSee: """
                        zswap's and zero-filled pages of processes in the root memory cgroup; swap \
                        files on a network, which are counted where the read completes
                        """)
            case .fentryFolio: Rung(.fentry, on: Self.folio, programs: ["read_folio_fentry", "read_folio_fexit"])
            case .fentryPage: Rung(.fentry, on: Self.page, programs: ["read_page_fentry", "read_page_fexit"])
            case .kprobeFolio: Rung(.kprobe, on: Self.folio, programs: ["read_folio_kprobe", "read_folio_kretprobe"])
            case .kprobePage: Rung(.kprobe, on: Self.page, programs: ["read_page_kprobe", "read_page_kretprobe"])
            case .rssStatSplit:
                Rung(
                    .tracepoint, on: SwapEntries.split, programs: SwapEntries.followed + SwapEntries.faults,
                    requires: SwapEntries.splitRequired, maps: ["page_faults"],
                    cannotSee: """
                        pages read ahead and not touched, tmpfs, swapoff, pages the kernel touches \
                        without a fault; pages found in the swap cache are counted
                        """)
            case .rssStatBatched:
                Rung(
                    .tracepoint, on: SwapEntries.batched, programs: SwapEntries.counted,
                    requires: [SwapEntries.batchedRequired],
                    cannotSee: """
                        pages read ahead and not touched, tmpfs, swapoff, up to 64 pages a thread until \
                        later; pages found in the swap cache are counted
                        """)
            }
        }

        /// What is counted.
        enum Counting {
            /// memcg's own events, which name the source.
            case events
            /// Calls of the function that reads a page.
            case reads
            /// What an address space has fewer of in swap.
            case entries
        }

        var counting: Counting {
            switch self {
            case .tracepoint: .events
            case .fentryFolio, .fentryPage, .kprobeFolio, .kprobePage: .reads
            case .rssStatSplit, .rssStatBatched: .entries
            }
        }

        private static let folio = KernelRange.from(
            6, 9, "swap_readpage() became swap_read_folio()", orBackported: true)
        private static let page = KernelRange.through(6, 8, "then swap_readpage() is swap_read_folio()")
    }

    enum Sources: String, Ladder {
        case tracepoint
        case fentryZswapInt = "fentry_zswap_int"
        case fentryZswapBool = "fentry_zswap_bool"
        case fentryFrontswap = "fentry_frontswap"
        case kprobeZswapInt = "kprobe_zswap_int"
        case kprobeZswapBool = "kprobe_zswap_bool"
        case kprobeFrontswap = "kprobe_frontswap"
        static let id = "sources"
        static let sees = "which pages zswap had and which were zero-filled"
        static let without: String? = "pages of zswap and zero-filled pages are not told apart"

        var rung: Rung {
            switch self {
            case .tracepoint:
                Rung(
                    .tracepoint, on: MemcgEvents.kernels, requires: [MemcgEvents.required],
                    reliesOn: [Reliance(on: Pages.tracepoint, what: "where a page came from")])
            case .fentryZswapInt:
                function(.fentry, on: Self.int, "zswap_int_fexit", requires: [Self.returnsInt])
            case .fentryZswapBool:
                function(.fentry, on: Self.bool, "zswap_bool_fexit", requires: [Self.returnsBool])
            case .fentryFrontswap: function(.fentry, on: Self.frontswap, "frontswap_fexit")
            case .kprobeZswapInt:
                function(.kprobe, on: Self.int, "zswap_int_kretprobe", requires: [Self.returnsInt])
            case .kprobeZswapBool:
                function(.kprobe, on: Self.bool, "zswap_bool_kretprobe", requires: [Self.returnsBool])
            case .kprobeFrontswap: function(.kprobe, on: Self.frontswap, "frontswap_kretprobe")
            }
        }

        private func function(
            _ mechanism: Mechanism, on kernels: KernelRange, _ program: String, requires: [Requirement] = []
        ) -> Rung {
            Rung(
                mechanism, on: kernels, programs: [program], requires: requires,
                reliesOn: [
                    Reliance(
                        onAny: Pages.allCases.filter { $0.counting == .reads }, what: "which read zswap is asked for")
                ])
        }

        /// Does a function say it, page by page as it is read?
        var isFunction: Bool {
            switch self {
            case .tracepoint: false
            case .fentryZswapInt, .fentryZswapBool, .fentryFrontswap, .kprobeZswapInt, .kprobeZswapBool,
                .kprobeFrontswap:
                true
            }
        }

        private static let int = KernelRange.from(6, 14, "zswap_load() returns an error", orBackported: true)
        private static let returnsInt = Requirement.functionResult("zswap_load", "int")
        private static let bool = KernelRange.from(6, 6, "zswap_load() in place of frontswap", orBackported: true)
            .through(6, 13, "then zswap_load() returns an error")
        private static let returnsBool = Requirement.functionResult("zswap_load", "bool")
        private static let frontswap = KernelRange.through(6, 5, "then zswap_load() is called without frontswap")
    }

    enum Waits: String, Ladder {
        case fentry, kprobe, tracepoint
        static let id = "waits"
        static let sees = "the time that page faults on swap take"
        static let without: String? = "waits are unknown"

        var rung: Rung {
            switch self {
            case .fentry:
                Rung(
                    .fentry, on: .all, programs: ["swap_fault_fentry", "swap_fault_fexit"],
                    requires: [.returnsValue("do_swap_page")], cannotSee: "faults on tmpfs")
            case .kprobe:
                Rung(
                    .kprobe, on: .all, programs: ["swap_fault_kprobe", "swap_fault_kretprobe"],
                    cannotSee: "faults on tmpfs")
            case .tracepoint:
                // the tracepoints of page faults are x86's
                Rung(
                    .tracepoint, on: SwapEntries.split, programs: SwapEntries.followed + SwapEntries.faults,
                    requires: SwapEntries.splitRequired, maps: ["page_faults"],
                    cannotSee: "faults on tmpfs; pages the kernel touches without a fault")
            }
        }

        /// Does a function say which of a page's reads a fault asked for?
        var isFunction: Bool {
            switch self {
            case .fentry, .kprobe: true
            case .tracepoint: false
            }
        }
    }

    enum SwapOuts: String, Ladder {
        case tracepointSplit = "tracepoint_split"
        case tracepointBatched = "tracepoint_batched"
        static let id = "swapouts"
        static let sees = "a process's pages that go to swap"
        static let without: String? = "swap-outs are unknown"

        var rung: Rung {
            switch self {
            case .tracepointSplit:
                Rung(
                    .tracepoint, on: SwapEntries.split, programs: SwapEntries.followed,
                    requires: SwapEntries.splitRequired, maps: ["page_faults"], cannotSee: "tmpfs")
            case .tracepointBatched:
                Rung(
                    .tracepoint, on: SwapEntries.batched, programs: SwapEntries.counted,
                    requires: [SwapEntries.batchedRequired], cannotSee: "tmpfs")
            }
        }
    }
}
