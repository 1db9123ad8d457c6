// SPDX-License-Identifier: Apache-2.0
internal import Symbols
internal import TraceRecords

/// Kernel functions that, on the stack of a task that stalls, say why. What a kernel lacks, or has made a part of
/// another function, is not found: the others tell.
enum MemStallPlaces {
    private static let functions: [(place: memstall_place, names: [String])] = [
        (
            MEMSTALL_AT_HIGH,
            [
                "mem_cgroup_handle_over_high", "__mem_cgroup_handle_over_high", "high_work_func", "reclaim_high",
            ]
        ),
        (MEMSTALL_AT_CHARGE, ["try_charge", "try_charge_memcg"]),
        (
            MEMSTALL_AT_ASKED,
            [
                "memory_reclaim", "user_proactive_reclaim", "memory_max_write", "memory_high_write",
                "mem_cgroup_resize_max", "mem_cgroup_force_empty", "mem_cgroup_force_empty_write",
            ]
        ),
        (
            MEMSTALL_AT_SWAP,
            [
                "do_swap_page", "swap_readpage", "swap_read_folio", "swapin_readahead", "shmem_swapin_page",
                "shmem_swapin_folio", "shmem_swapin", "swapin_sync",
            ]
        ),
        (
            MEMSTALL_AT_FILE,
            [
                "wait_on_page_bit_common", "folio_wait_bit_common", "put_and_wait_on_page_locked",
                "folio_put_wait_locked", "filemap_read_folio", "filemap_fault", "filemap_get_pages", "read_pages",
            ]
        ),
        (MEMSTALL_AT_DIRECT, ["try_to_free_pages", "__alloc_pages_direct_reclaim", "throttle_direct_reclaim"]),
        (MEMSTALL_AT_COMPACT, ["__alloc_pages_direct_compact", "try_to_compact_pages"]),
        (MEMSTALL_AT_KSWAPD, ["balance_pgdat", "kswapd"]),
        (MEMSTALL_AT_KCOMPACTD, ["kcompactd", "kcompactd_do_work"]),
        (MEMSTALL_AT_NODE, ["node_reclaim", "__node_reclaim"]),
        (
            MEMSTALL_AT_BLKCG,
            ["__blkcg_maybe_throttle_current", "blkcg_maybe_throttle_current", "blkcg_maybe_throttle_blkg"]
        ),
    ]

    /// Where they lie, as far as /proc/kallsyms says it; none where it hides its addresses.
    static func ranges(_ symbols: KernelSymbols?) -> [memstall_range] {
        guard let symbols else { return [] }
        let found = functions.flatMap { function in
            symbols.ranges(of: function.names).map { range in
                memstall_range(
                    start: range.lowerBound, length: UInt32(clamping: range.count), place: function.place.rawValue)
            }
        }
        return Array(found.prefix(Int(MEMSTALL_RANGES)))
    }
}
