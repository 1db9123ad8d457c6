/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A free, at its entry: nobody waits for its return. */
#ifndef SWIFTMEM_MEMLEAK_FREE_H
#define SWIFTMEM_MEMLEAK_FREE_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "memleak/events.h"
#include "memleak/ledger.h"
#include "memleak/nesting.h"

/* Is it one that another call of the thread makes: realloc's, operator delete's? Else it is marked. */
static __always_inline bool is_nested_free(struct pt_regs *ctx, struct thread *thread, u64 address)
{
	u64 sp = PT_REGS_SP(ctx);

	/* realloc and the like free what they replace themselves */
	if (thread->sp && is_nested(thread, sp))
		return true;
	if (!config.mark_frees && thread->seen) {
		thread->mark_sp = 0;
		return false;
	}
	/* operator delete calls free with the same block */
	if (thread->freed == address && thread->mark_sp && sp <= thread->mark_sp &&
	    thread->mark_sp - sp < ALLOCATOR_DEPTH)
		return true;
	mark(ctx, thread, return_address(ctx, &thread->captured));
	thread->freed = address;
	thread->seen = 1;
	return false;
}

static __always_inline void enter_free(struct pt_regs *ctx, u32 pid, u32 tid)
{
	u64 address = PT_REGS_PARM1(ctx);
	struct memleak_block old = {};
	bool known;

	if (!address)
		return;
	struct thread *thread = thread_of(tid, true);

	if (thread && is_nested_free(ctx, thread, address))
		return;
	if (config.totals || config.trace) {
		known = take(pid, address, &old);
	} else {
		struct memleak_key key = { .address = address, .pid = pid };

		known = bpf_map_delete_elem(&blocks, &key) == 0;
	}
	if (known)
		COUNT(frees);
	else if (!thread || !is_own_call(ctx, thread))
		COUNT(unmatched_frees);
	if (config.trace)
		send_free(address, old.size, known);
}

#endif
