/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Why a task stalls, where no event says it: by the functions on its kernel stack. */
#ifndef SWIFTMEM_MEMSTALL_CAUSES_H
#define SWIFTMEM_MEMSTALL_CAUSES_H

#include "vmlinux/core.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "memstall/state.h"

/* Innermost first, those that only trace among them; on the program's stack, as it may be preempted. */
#define STALL_FRAMES 24

/* 1 where a is less than b, which has not its uppermost bit: no branch, for the verifier walks each way on. */
static __always_inline u64 is_less(u64 a, u64 b)
{
	u64 below = a - b;

	barrier_var(below);
	below &= ~a;
	barrier_var(below);
	return below >> 63;
}

/* The places, enum memstall_place, that the current stack goes through; 0 where that can't be told. */
static __noinline u32 places_of_stack(void *ctx)
{
	u64 frames[STALL_FRAMES] = {};
	u32 places = 0;

	if (!config.ranges)
		return 0;
	long bytes = bpf_get_stack(ctx, frames, sizeof(frames), 0);

	if (bytes <= 0) {
		lost(LOSS_NO_STACK);
		return 0;
	}
	u32 count = bytes / sizeof(u64);

	for (u32 i = 0; i < STALL_FRAMES; i++) {
		if (i >= count)
			break;
		/* where a call returns to may be the next function's first byte */
		u64 ip = frames[i] - 1;

		for (u32 k = 0; k < MEMSTALL_RANGES; k++) {
			if (k >= config.ranges)
				break;
			places |= config.functions[k].place &
				  -is_less(ip - config.functions[k].start, config.functions[k].length);
		}
	}
	return places;
}

/* The cause of a stall that no event has named. */
static __always_inline u32 cause_of(u32 places)
{
	if (places & MEMSTALL_AT_HIGH)
		return MEMSTALL_MEMCG_HIGH;
	if (places & MEMSTALL_AT_KSWAPD)
		return MEMSTALL_KSWAPD;
	if (places & MEMSTALL_AT_KCOMPACTD)
		return MEMSTALL_KCOMPACTD;
	if (places & MEMSTALL_AT_COMPACT)
		return MEMSTALL_COMPACTION;
	if (places & MEMSTALL_AT_NODE)
		return MEMSTALL_NODE_RECLAIM;
	if (places & MEMSTALL_AT_DIRECT)
		return MEMSTALL_DIRECT_RECLAIM;
	if (places & MEMSTALL_AT_CHARGE)
		return MEMSTALL_MEMCG_MAX;
	if (places & MEMSTALL_AT_BLKCG)
		return MEMSTALL_BLKCG_THROTTLE;
	if (places & MEMSTALL_AT_SWAP)
		return MEMSTALL_SWAPIN;
	if (places & MEMSTALL_AT_FILE)
		return MEMSTALL_REFAULT;
	return MEMSTALL_OTHER;
}

/* The cause of reclaim for a memory cgroup. */
static __always_inline u32 memcg_cause(u32 places, bool in_psi)
{
	if (places & MEMSTALL_AT_HIGH)
		return MEMSTALL_MEMCG_HIGH;
	if (places & MEMSTALL_AT_CHARGE)
		return MEMSTALL_MEMCG_MAX;
	if (places & MEMSTALL_AT_ASKED)
		return MEMSTALL_ASKED;
	return in_psi ? MEMSTALL_MEMCG_MAX : MEMSTALL_ASKED;
}

#endif
