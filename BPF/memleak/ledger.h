/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The ledger of heap blocks that are not freed, by process and address, and their sums by stack. */
#ifndef SWIFTMEM_MEMLEAK_LEDGER_H
#define SWIFTMEM_MEMLEAK_LEDGER_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "lib/loss.h"
#include "memleak/state.h"

/* Returns whether there is room for the stack. */
static __always_inline bool add_to_total(u32 pid, u64 stack, s64 bytes, s64 calls)
{
	struct memleak_total_key key = { .stack = stack, .pid = pid };
	struct memleak_total *total = bpf_map_lookup_elem(&totals, &key);

	if (!total) {
		struct memleak_total none = {};

		bpf_map_update_elem(&totals, &key, &none, BPF_NOEXIST);
		total = bpf_map_lookup_elem(&totals, &key);
		if (!total)
			return false;
	}
	/* a program may be preempted by another on its CPU; relaxed, for 5.10 knows no fetching */
	__atomic_fetch_add(&total->bytes, bytes, __ATOMIC_RELAXED);
	__atomic_fetch_add(&total->count, calls, __ATOMIC_RELAXED);
	return true;
}

/* Takes a block out; false where it was not recorded. */
static __always_inline bool take(u32 pid, u64 address, struct memleak_block *old)
{
	struct memleak_key key = { .address = address, .pid = pid };
	struct memleak_block *block = bpf_map_lookup_elem(&blocks, &key);

	if (!block)
		return false;
	*old = *block;
	if (bpf_map_delete_elem(&blocks, &key))
		return false;
	if (config.totals && !add_to_total(pid, old->stack, -(s64)old->size, -1))
		lost(LOSS_MAP_FULL);
	return true;
}

static __always_inline bool put(u32 pid, u64 address, const struct memleak_block *block)
{
	struct memleak_key key = { .address = address, .pid = pid };

	if (config.totals) {
		/* an address given out again was freed unseen */
		struct memleak_block unseen;

		take(pid, address, &unseen);
	}
	if (bpf_map_update_elem(&blocks, &key, block, BPF_ANY)) {
		lost(LOSS_MAP_FULL);
		return false;
	}
	if (config.totals && !add_to_total(pid, block->stack, block->size, 1))
		lost(LOSS_MAP_FULL);
	return true;
}

/* A block that was made just now: not one put back. */
static __always_inline bool put_new(u32 pid, u64 address, const struct memleak_block *block)
{
	if (!put(pid, address, block))
		return false;
	/* a stack there is no room for has no share of survivors, and nothing else is lost */
	if (config.made)
		add_to_total(pid, block->stack, block->size, 1);
	return true;
}

#endif
