/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The ledger of blocks that are not freed: put in, taken out, and found to have been freed unseen. */
#ifndef SWIFTMEM_KERNELLEAK_LEDGER_H
#define SWIFTMEM_KERNELLEAK_LEDGER_H

#include "kernelleak/slab_cache.h"

static __always_inline void add_to_total(u64 stack, s64 bytes, s64 calls)
{
	struct memleak_total *total = bpf_map_lookup_elem(&totals, &stack);

	if (!total) {
		struct memleak_total none = {};

		bpf_map_update_elem(&totals, &stack, &none, BPF_NOEXIST);
		total = bpf_map_lookup_elem(&totals, &stack);
		if (!total) {
			lost(LOSS_MAP_FULL);
			return;
		}
	}
	__atomic_fetch_add(&total->bytes, bytes, __ATOMIC_RELAXED);
	__atomic_fetch_add(&total->count, calls, __ATOMIC_RELAXED);
}

/* Takes a block out; false where it was not recorded. */
static __always_inline bool take(u64 address, u64 *size)
{
	if (!config.totals && !config.trace)
		return bpf_map_delete_elem(&blocks, &address) == 0;

	struct kernelleak_block *block = bpf_map_lookup_elem(&blocks, &address);

	if (!block)
		return false;
	struct kernelleak_block old = *block;

	if (bpf_map_delete_elem(&blocks, &address))
		return false;
	*size = old.size;
	if (config.totals)
		add_to_total(old.stack, -(s64)old.size * old.weight, -(s64)old.weight);
	return true;
}

/* A block whose address is given out again was freed by a way that no program sees. */
static __always_inline void freed_unseen(u64 address, u64 cache)
{
	u64 size = 0;

	if (!take(address, &size))
		return;
	COUNT(unseen_frees);
	struct kernelleak_cache *row = cache ? cache_row(cache) : NULL;

	if (row)
		__atomic_fetch_add(&row->unseen, 1, __ATOMIC_RELAXED);
}

static __always_inline bool put(u64 address, const struct kernelleak_block *block, u64 cache)
{
	long error = bpf_map_update_elem(&blocks, &address, block, BPF_NOEXIST);

	if (error == -EEXIST) {
		freed_unseen(address, cache);
		error = bpf_map_update_elem(&blocks, &address, block, BPF_ANY);
	}
	if (error) {
		lost(LOSS_MAP_FULL);
		return false;
	}
	if (config.totals)
		add_to_total(block->stack, (s64)block->size * block->weight, block->weight);
	return true;
}

#endif
