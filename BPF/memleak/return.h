/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The return of a call in flight: what it gave goes into the ledger, a mapping to user space. */
#ifndef SWIFTMEM_MEMLEAK_RETURN_H
#define SWIFTMEM_MEMLEAK_RETURN_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/loss.h"
#include "memleak/events.h"
#include "memleak/ledger.h"

/* The stack pointer at the entry, seen from the return. */
#if defined(__TARGET_ARCH_x86)
#define ENTRY_SP(ctx) (PT_REGS_SP(ctx) - 8)
#else
#define ENTRY_SP(ctx) PT_REGS_SP(ctx)
#endif

static __always_inline void leave_mapping(struct thread *thread, u64 result)
{
	u32 op = thread->op;
	/* MAP_FAILED of mmap and mremap, -1 of munmap, as 64 or as 32 bits */
	bool failed = op == MEMLEAK_MUNMAP ? (s32)result != 0 : result == (u64)-1;

	if (failed) {
		COUNT(failed);
	} else {
		if (op == MEMLEAK_MUNMAP)
			COUNT(frees);
		else if (thread->flags & RECORD)
			COUNT(allocations);
		if ((thread->flags & RECORD) && op != MEMLEAK_MUNMAP && !thread->stack)
			lost(LOSS_NO_STACK);
		send_call(MEMLEAK_MAPPING, thread, result, thread->flags & RECORD);
	}
	if (config.trace)
		send_call(MEMLEAK_TRACED, thread, result, !failed);
}

/* posix_memalign's block is where its first argument points; 0: it failed. */
static __always_inline void read_posix_memalign(u64 where, u64 *result)
{
	if ((s32)*result) {
		*result = 0;
	} else if (bpf_probe_read_user(result, sizeof(*result), (void *)where)) {
		*result = 0;
		lost(LOSS_UNREADABLE);
	}
}

/* The old block of a realloc: freed, or put back. */
static __always_inline void leave_realloc(struct thread *thread, u32 pid, u64 result)
{
	/* it gave nothing: the old block stays, unless it was to shrink to nothing */
	if (!result && thread->size && (thread->flags & HAS_OLD))
		put(pid, thread->address, &thread->old);
	else if (thread->flags & HAS_OLD)
		COUNT(frees);
	else if (result && thread->address)
		COUNT(unmatched_frees);
}

static __always_inline void record_block(struct thread *thread, u32 pid, u64 address)
{
	struct memleak_block block = {
		.size = thread->size,
		.time_ns = bpf_ktime_get_ns(),
		.stack = thread->stack,
	};

	if (!block.stack)
		lost(LOSS_NO_STACK);
	if (put_new(pid, address, &block))
		COUNT(allocations);
}

static __always_inline void leave(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	u32 pid = id >> 32;
	struct thread *thread = thread_of((u32)id, false);

	/* a nested call's return is at another depth */
	if (!thread || !thread->sp || ENTRY_SP(ctx) != thread->sp)
		return;
	thread->sp = 0;
	u64 result = PT_REGS_RC(ctx);
	u32 op = thread->op;

	if (op >= MEMLEAK_MMAP) {
		leave_mapping(thread, result);
		return;
	}
	if (op == MEMLEAK_POSIX_MEMALIGN)
		read_posix_memalign(thread->address, &result);
	if (op == MEMLEAK_REALLOC || op == MEMLEAK_REALLOCARRAY)
		leave_realloc(thread, pid, result);
	if (!result)
		COUNT(failed);
	else if (thread->flags & RECORD)
		record_block(thread, pid, result);
	if (config.trace)
		send_call(MEMLEAK_TRACED, thread, result, thread->flags & RECORD);
}

#endif
