// SPDX-License-Identifier: Apache-2.0

/// Which row of the ledger has the pages that a stack took: by the functions of the kernel that keep such pages.
public enum PageOwner: Hashable, Sendable {
    /// One of the kernel's counters.
    case counted
    /// A row that the iterators tell.
    case row(MemoryPart)
    /// None that is known.
    case none

    /// - Parameter functions: innermost first. The first that keeps pages decides: a fault on an anonymous page takes
    ///   a page table too.
    public init(functions: [String]) {
        for function in functions {
            let name = Self.plain(function)
            if let row = Self.rows[name] {
                self = .row(row)
                return
            }
            if Self.keepers.contains(name) || Self.keeperPrefixes.contains(where: { name.hasPrefix($0) }) {
                self = .counted
                return
            }
        }
        self = .none
    }

    /// Without what compilers and the kernel's allocation profiling (6.10) put behind a name.
    public static func plain(_ function: String) -> String {
        let name = function.prefix { $0 != "." }
        return String(name.hasSuffix("_noprof") ? name.dropLast(7) : name)
    }

    /// What every allocation passes, down to the page allocator: it tells nothing.
    static func isAllocator(_ function: String) -> Bool {
        let name = plain(function)
        return allocators.contains { name.hasPrefix($0) }
    }

    private static let allocators = [
        "__alloc_pages", "alloc_pages", "__alloc_frozen_pages", "alloc_frozen_pages", "__get_free_pages",
        "get_free_pages", "get_zeroed_page", "__folio_alloc", "folio_alloc", "get_page_from_freelist",
    ]

    private static let rows: [String: MemoryPart] = [
        "pipe_write": .pipes, "anon_pipe_write": .pipes,
        "alloc_skb_with_frags": .sockets, "skb_page_frag_refill": .sockets, "sk_page_frag_refill": .sockets,
        "packet_set_ring": .packetRings, "alloc_pg_vec": .packetRings, "alloc_one_pg_vec_page": .packetRings,
        "rb_alloc": .perfRings, "rb_alloc_aux": .perfRings,
        "bpf_ringbuf_area_alloc": .bpfRings, "bpf_ringbuf_alloc": .bpfRings, "ringbuf_map_alloc": .bpfRings,
    ]

    private static let keepers: Set<String> = [
        // anonymous memory, the swap cache, pages that migrate
        "do_anonymous_page", "alloc_anon_folio", "wp_page_copy", "do_wp_page", "do_cow_fault", "folio_prealloc",
        "do_huge_pmd_anonymous_page", "__read_swap_cache_async", "swap_cache_alloc_folio", "do_swap_page",
        "alloc_swap_folio", "collapse_huge_page", "alloc_charge_folio", "alloc_migration_target",
        "alloc_misplaced_dst_folio", "compaction_alloc",
        // files
        "ra_alloc_folio", "pagecache_get_page", "grab_cache_page_write_begin", "__page_cache_alloc", "iomap_get_folio",
        // page tables, also those of virtual machines and IOMMUs
        "__pmd_alloc", "__pud_alloc", "__p4d_alloc", "pgd_alloc", "_pgd_alloc", "mmu_memory_cache_alloc_obj",
        // stacks, vmalloc(), per-CPU memory, slabs
        "alloc_thread_stack_node", "vm_area_alloc_pages", "__vmalloc_area_node", "pcpu_populate_chunk",
        "pcpu_alloc_pages", "pcpu_create_chunk", "allocate_slab", "new_slab", "___slab_alloc", "refill_objects",
        "kmalloc_order", "___kmalloc_large_node", "__kmalloc_large_node", "kmalloc_large_node",
        // compressed memory, balloons
        "alloc_zspage", "zs_malloc", "balloon_page_alloc",
    ]

    private static let keeperPrefixes = [
        "vma_alloc_folio", "vma_alloc_anon_folio", "alloc_pages_vma", "filemap_alloc_folio", "page_cache_ra",
        "__filemap_get_folio", "do_read_cache_", "shmem_alloc_", "shmem_get_folio", "__do_page_cache_readahead",
        "alloc_buddy_huge", "alloc_fresh_huge", "only_alloc_fresh_huge", "alloc_pool_huge", "alloc_surplus_huge",
        "pte_alloc_one", "__pte_alloc", "pmd_alloc_one", "pud_alloc_one", "iommu_alloc_page", "__vmalloc_node_range",
    ]
}
