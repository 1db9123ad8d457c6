/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What becomes of pages that are brought in: used, or removed unused. A page's
 * bit is set when it comes into the cache, and cleared by the first access, the
 * write or the removal that meets it.
 *
 * The window that mm_filemap_map_pages() looks at counts as used whole: pages of it
 * that are cached are mapped, but for those that are still being read.
 */
#ifndef SWIFTMEM_READAHEAD_H
#define SWIFTMEM_READAHEAD_H

#include "pagecache.h"
#include <bpf/bpf_tracing.h>
#include "readahead_counters.h"

#define BLOCK_SHIFT 6 /* pages that one word of bits stands for */
#define BLOCK_PAGES (1 << BLOCK_SHIFT)
/* What one event may touch: reads of up to 64 MiB, folios of up to 2 MiB and a bit. */
#define RANGE_BLOCKS 256
#define FOLIO_BLOCKS 10

struct block {
	u64 mapping;
	u64 number;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__type(key, struct block);
	__type(value, u64);
} unused_pages SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct readahead_counters);
} readahead SEC(".maps");

static __always_inline struct readahead_counters *readahead_counts(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&readahead, &zero);
}

/* The bits of [first, last] that lie in block `number`. */
static __always_inline u64 block_mask(u64 number, u64 first, u64 last)
{
	u64 start = number << BLOCK_SHIFT;
	u64 low = first > start ? first - start : 0;
	u64 high = last - start < BLOCK_PAGES - 1 ? last - start : BLOCK_PAGES - 1;

	return (~0ULL << (low & 63)) & (~0ULL >> ((63 - high) & 63));
}

static __always_inline void pages_came(u64 mapping, u64 first, u64 last)
{
	struct block block = { .mapping = mapping, .number = first >> BLOCK_SHIFT };

	for (int i = 0; i < FOLIO_BLOCKS; i++, block.number++) {
		if (block.number > last >> BLOCK_SHIFT)
			return;
		u64 mask = block_mask(block.number, first, last);
		u64 *bits = bpf_map_lookup_elem(&unused_pages, &block);

		if (!bits) {
			if (!bpf_map_update_elem(&unused_pages, &block, &mask, BPF_NOEXIST))
				continue;
			/* another CPU was first, or there is no room */
			bits = bpf_map_lookup_elem(&unused_pages, &block);
			if (!bits) {
				lost(LOSS_MAP_FULL);
				continue;
			}
		}
		__sync_fetch_and_or(bits, mask);
	}
	lost(LOSS_MAP_FULL);
}

/* Clears the bits of [first, last]; how many of them were set. */
static __always_inline u64 pages_met(u64 mapping, u64 first, u64 last, int blocks)
{
	struct block block = { .mapping = mapping, .number = first >> BLOCK_SHIFT };
	u64 met = 0;

	for (int i = 0; i < blocks; i++, block.number++) {
		if (block.number > last >> BLOCK_SHIFT)
			break;
		u64 *bits = bpf_map_lookup_elem(&unused_pages, &block);

		if (!bits)
			continue;
		u64 mask = block_mask(block.number, first, last);
		u64 before = __sync_fetch_and_and(bits, ~mask);

		met += __builtin_popcountll(before & mask);
		/* what another CPU sets meanwhile is lost: that is a folio of a file being
		 * read elsewhere in the same 256 KiB, at this very moment */
		if (!(before & ~mask) && !*(volatile u64 *)bits)
			bpf_map_delete_elem(&unused_pages, &block);
	}
	return met;
}

static __always_inline void pages_used(struct address_space *mapping, u64 first, u64 last)
{
	struct readahead_counters *c = readahead_counts();

	if (c)
		c->used_pages += pages_met(address_of(mapping), first, last, RANGE_BLOCKS);
}

/* ---- pages that come and go ---- */

static __always_inline bool is_file_cache(struct address_space *mapping)
{
	struct inode *host = BPF_CORE_READ(mapping, host);

	return (BPF_CORE_READ(host, i_mode) & S_IFMT) == S_IFREG &&
	       BPF_CORE_READ(host, i_sb, s_magic) != HUGETLBFS_MAGIC;
}

SEC("tp_btf/mm_filemap_add_to_page_cache")
int BPF_PROG(ahead_insert_btf, struct folio *folio)
{
	struct address_space *mapping = folio_mapping(folio);

	if (!filtered_in() || !is_file_cache(mapping))
		return 0;
	u64 key = address_of(mapping), first = folio_index(folio);
	u64 last = first + folio_pages(folio) - 1;

	pages_came(key, first, last);

	/* the page that a fault waits for: no event tells when it is mapped */
	struct request *r = known_request();

	if (r && r->fault_open && r->fault_mapping == key && r->fault_index >= first && r->fault_index <= last)
		pages_used(mapping, r->fault_index, r->fault_index);
	return 0;
}

/* A page that a write makes or fills is nobody's readahead. */
SEC("tp_btf/writeback_dirty_folio")
int BPF_PROG(ahead_dirty_btf, struct folio *folio)
{
	if (!filtered_in())
		return 0;
	u64 first = folio_index(folio);

	pages_met(address_of(folio_mapping(folio)), first, first + folio_pages(folio) - 1, FOLIO_BLOCKS);
	return 0;
}

/* Whoever removes it: reclaim works for all. */
SEC("tp_btf/mm_filemap_delete_from_page_cache")
int BPF_PROG(ahead_remove_btf, struct folio *folio)
{
	struct readahead_counters *c = readahead_counts();
	u64 first = folio_index(folio);

	if (c)
		c->dropped_pages += pages_met(address_of(folio_mapping(folio)), first, first + folio_pages(folio) - 1,
					      FOLIO_BLOCKS);
	return 0;
}

/* The largest folio that so many pages can be the whole of; it lies at a multiple of that. */
static __always_inline u64 folio_size_within(u32 pages)
{
	u64 size = 1;

	for (int i = 0; i < 12 && size * 2 <= pages; i++)
		size *= 2;
	return size;
}

/* ---- their use, by tracepoint (Linux 6.12) ---- */

SEC("tp_btf/mm_filemap_get_pages")
int BPF_PROG(ahead_read_btf, struct address_space *mapping, unsigned long index, unsigned long last)
{
	if (filtered_in())
		pages_used(mapping, index, last);
	return 0;
}

/*
 * Since 6.18 fault-around maps the whole of a large folio (357b92761d94, "mm/filemap:
 * map entire large folio faultaround"): more than the window, as rss_stat just told.
 */
SEC("tp_btf/mm_filemap_map_pages")
int BPF_PROG(ahead_map_window_btf, struct address_space *mapping, unsigned long first, unsigned long last)
{
	if (!filtered_in())
		return 0;
	struct request *r = known_request();

	if (r && r->mapped > last - first + 1) {
		u64 size = folio_size_within(r->mapped);

		pages_used(mapping, first & ~(size - 1), (first & ~(size - 1)) + size - 1);
	}
	if (r)
		r->mapped = 0;
	pages_used(mapping, first, last);
	return 0;
}

SEC("tp_btf/mm_filemap_fault")
int BPF_PROG(ahead_fault_btf, struct address_space *mapping, unsigned long index)
{
	if (filtered_in())
		pages_used(mapping, index, index);
	return 0;
}

/*
 * Since 6.18 a fault maps the whole folio (19773df031bc, "mm/fault: try to map the
 * entire file folio in finish_fault()"). A huge mapping has no event but rss_stat,
 * which says nothing of the file: the address that faulted does. These come behind
 * `file_rss_btf` of pagecache_probes.h.
 */
SEC("tp_btf/page_fault_user")
int BPF_PROG(ahead_fault_address_btf, unsigned long address)
{
	struct request *r = filtered_in() ? current_request() : NULL;

	if (r)
		r->fault_address = address;
	return 0;
}

struct huge_mapping {
	u64 address;
	struct address_space *mapping;
	u64 first;
};

static long huge_mapping_of(struct task_struct *task, struct vm_area_struct *vma, void *context)
{
	struct huge_mapping *huge = context;
	struct file *file = BPF_CORE_READ(vma, vm_file);
	u64 start = huge->address & ~((u64)HUGE_PAGES * (1 << PAGE_SHIFT) - 1);

	if (!file)
		return 0;
	huge->mapping = BPF_CORE_READ(file, f_mapping);
	huge->first = BPF_CORE_READ(vma, vm_pgoff) + ((s64)(start - BPF_CORE_READ(vma, vm_start)) >> PAGE_SHIFT);
	return 0;
}

SEC("tp_btf/rss_stat")
int BPF_PROG(ahead_rss_btf, struct mm_struct *mm, int member)
{
	struct request *r = member == MM_FILEPAGES && filtered_in() ? known_request() : NULL;

	if (!r || r->mapped < 2)
		return 0;
	struct huge_mapping huge = { .address = r->fault_address };
	u64 size = folio_size_within(r->mapped);

	if (r->mapped_by_fault) {
		u64 first = r->fault_index & ~(size - 1);

		pages_used((void *)r->fault_mapping, first, first + size - 1);
		r->mapped = 0;
		return 0;
	}
	if (size < HUGE_PAGES)
		return 0; /* mm_filemap_map_pages comes */
	r->mapped = 0;
	if (bpf_find_vma(bpf_get_current_task_btf(), huge.address, huge_mapping_of, &huge, 0))
		lost(LOSS_UNREADABLE);
	if (huge.mapping)
		pages_used(huge.mapping, huge.first, huge.first + HUGE_PAGES - 1);
	return 0;
}

/* ---- their use, by function ---- */

static __always_inline void bytes_used(struct address_space *mapping, s64 after, s64 bytes)
{
	if (bytes > 0)
		pages_used(mapping, (u64)(after - bytes) >> PAGE_SHIFT, (u64)(after - 1) >> PAGE_SHIFT);
}

SEC("fexit/filemap_read")
int BPF_PROG(ahead_read_fexit, struct kiocb *iocb, void *to, s64 before, s64 result)
{
	if (filtered_in())
		bytes_used(BPF_CORE_READ(iocb, ki_filp, f_mapping), BPF_CORE_READ(iocb, ki_pos), result - before);
	return 0;
}

SEC("fexit/filemap_splice_read")
int BPF_PROG(ahead_splice_fexit, struct file *file, s64 *position, void *pipe, u64 length, u32 flags, s64 result)
{
	s64 after = 0;

	if (!filtered_in())
		return 0;
	bpf_probe_read_kernel(&after, sizeof(after), position);
	bytes_used(BPF_CORE_READ(file, f_mapping), after, result);
	return 0;
}

SEC("fentry/filemap_map_pages")
int BPF_PROG(ahead_map_window_fentry, struct vm_fault *vmf, unsigned long first, unsigned long last)
{
	if (filtered_in())
		pages_used(BPF_CORE_READ(vmf, vma, vm_file, f_mapping), first, last);
	return 0;
}

SEC("fexit/filemap_fault")
int BPF_PROG(ahead_fault_fexit, struct vm_fault *vmf)
{
	u64 index = BPF_CORE_READ(vmf, pgoff);

	if (filtered_in())
		pages_used(BPF_CORE_READ(vmf, vma, vm_file, f_mapping), index, index);
	return 0;
}

SEC("fexit/do_set_pmd")
int BPF_PROG(ahead_set_pmd_fexit, struct vm_fault *vmf, struct page *page, u32 result)
{
	u64 first = BPF_CORE_READ(vmf, pgoff) & ~(HUGE_PAGES - 1ULL);

	if (result == 0 && filtered_in())
		pages_used(BPF_CORE_READ(vmf, vma, vm_file, f_mapping), first, first + HUGE_PAGES - 1);
	return 0;
}

#endif
