/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What becomes of pages that are brought in: used, or removed unused. A page's
 * bit is set when it comes into the cache, and cleared by the first access, the
 * write or the removal that meets it. Each program that sets or clears bits is called
 * ahead_*, and stands beside the one that counts the same event.
 */
#ifndef SWIFTMEM_PAGECACHE_READAHEAD_H
#define SWIFTMEM_PAGECACHE_READAHEAD_H

#include "vmlinux/fs.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/loss.h"
#include "lib/page.h"
#include "lib/percpu.h"
#include "pagecache_counters.h"

#define BLOCK_SHIFT 6 /* pages that one word of bits stands for */
#define BLOCK_PAGES (1 << BLOCK_SHIFT)
/* What one event may touch: reads of up to 16384 pages, folios of up to a huge page's size and a bit. */
#define RANGE_BLOCKS 256
#define FOLIO_BLOCKS ((int)(HUGE_PAGES >> BLOCK_SHIFT) + 2)

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

	int blocks = FOLIO_BLOCKS;

	for (int i = 0; i < blocks; i++, block.number++) {
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
		 * read elsewhere in the same 64 pages, at this very moment */
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

/* The largest folio that so many pages can be the whole of; it lies at a multiple of that. */
static __always_inline u64 folio_size_within(u32 pages)
{
	u64 size = 1;

	for (int i = 0; i < 12 && size * 2 <= pages; i++)
		size *= 2;
	return size;
}

#endif
