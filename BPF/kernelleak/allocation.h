/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * An allocation: is it wanted, what is its stack, into the ledger. Each program has its own
 * room for a stack: two that interrupt one another don't share it. One that is interrupted by
 * itself finds its room busy, and the allocation is counted as lost.
 */
#ifndef SWIFTMEM_KERNELLEAK_ALLOCATION_H
#define SWIFTMEM_KERNELLEAK_ALLOCATION_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "lib/kernel_stack.h"
#include "kernelleak/ledger.h"

struct scratch {
	u64 busy;
	struct kstack_record record;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, KERNELLEAK_PROGRAMS);
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/* Do pages with this stack hold the slab allocator's objects, which count themselves? */
static __always_inline bool is_slabs_own(const struct kstack_record *record)
{
	for (u32 frame = 1; frame < 14; frame++) {
		u64 address = record->frames[frame];

		if (frame >= record->count)
			break;
		for (u32 i = 0; i < KERNELLEAK_CODE; i++)
			if (address >= config.slab[i].first && address < config.slab[i].end)
				return true;
	}
	return false;
}

/*
 * Keeps a stack. Returns its hash, 0 where there is no room for it; `left_out` is
 * set where its memory is not to be recorded.
 */
static __always_inline u64 keep(u64 hash, struct kstack_record *record, bool *left_out)
{
	struct kstack_record *known = bpf_map_lookup_elem(&stacks, &hash);

	if (known) {
		*left_out = known->flags & KSTACK_SLAB_PAGES;
		return hash;
	}
	if (record->kind == KERNELLEAK_PAGES && is_slabs_own(record)) {
		record->flags |= KSTACK_SLAB_PAGES;
		*left_out = true;
	}
	/* another CPU may be first with the same stack: as good */
	long error = bpf_map_update_elem(&stacks, &hash, record, BPF_NOEXIST);

	if (error == 0) {
		COUNT(calls.stacks);
		if (record->flags & KSTACK_CUT)
			COUNT(cut_stacks);
		if (record->cache)
			cache_row(record->cache);
	}
	return error == 0 || error == -EEXIST ? hash : 0;
}

/* Is it the cache that was asked for? */
static __always_inline bool is_wanted_cache(u64 cache)
{
	struct kernelleak_cache *row = cache ? cache_row(cache) : NULL;

	return row && row->wanted;
}

/* Is this allocation one of those that are recorded? Sets how many such a one stands for. */
static __always_inline bool is_sampled(u32 *weight)
{
	u32 zero = 0;

	if (!config.sampled)
		return true;
	struct kernelleak_sampling *now = bpf_map_lookup_elem(&sampling, &zero);

	if (now && now->threshold) {
		if (bpf_get_prandom_u32() >= now->threshold)
			return false;
		*weight = now->weight;
	}
	return true;
}

/*
 * Captures and keeps the current stack. Sets its hash, 0 where it could not be kept; false
 * where the block is not to be recorded.
 */
static __always_inline bool stack_of(void *ctx, u32 program, u32 kind, u64 cache, u64 *stack)
{
	struct scratch *scratch = bpf_map_lookup_elem(&scratches, &program);
	bool left_out = false;

	if (!scratch)
		return false;
	if (scratch->busy) {
		lost(LOSS_SKIPPED);
		return false;
	}
	scratch->busy = 1;
	scratch->record.kind = kind;
	scratch->record.cache = cache;
	*stack = kstack_capture(ctx, &scratch->record);
	if (*stack)
		*stack = keep(*stack, &scratch->record, &left_out);
	if (!*stack)
		lost(LOSS_NO_STACK);
	scratch->busy = 0;
	return !left_out;
}

static __always_inline int allocated(void *ctx, u32 program, u32 kind, u64 address, u64 size, u64 cache)
{
	u32 weight = 1;
	u64 stack = 0;

	if (!IS_MEMORY(address)) {
		if (!address)
			COUNT(calls.failed);
		return 0;
	}
	/* what interrupts allocate while this process runs too: their frees then match nothing */
	if (current_pid() == config.own_pid)
		return 0;
	if (config.by_cache && !is_wanted_cache(cache)) {
		COUNT(calls.filtered_out);
		return 0;
	}
	if (size < config.min_size || size > config.max_size) {
		COUNT(calls.filtered_out);
		goto passed_over;
	}
	if (!is_sampled(&weight)) {
		COUNT(calls.sampled_out);
		goto passed_over;
	}
	if (!stack_of(ctx, program, kind, cache, &stack))
		goto passed_over;

	struct kernelleak_block block = {
		.size = size,
		.weight = weight,
		.time_ns = bpf_ktime_get_ns(),
		.stack = stack,
	};
	bool recorded = put(address, &block, cache);

	if (recorded)
		COUNT(calls.allocations);
	if (config.trace)
		send_event(MEMLEAK_SIZE, address, size, recorded);
	return 0;

passed_over:
	if (config.unseen_frees)
		freed_unseen(address, cache);
	return 0;
}

#endif
