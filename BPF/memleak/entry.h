/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The entry of an allocator's function: is it the outermost call, what was asked for, on which stack. */
#ifndef SWIFTMEM_MEMLEAK_ENTRY_H
#define SWIFTMEM_MEMLEAK_ENTRY_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/byte_sampling.h"
#include "lib/loss.h"
#include "memleak/events.h"
#include "memleak/ledger.h"
#include "memleak/nesting.h"
#include "memleak/free.h"
#include "lib/stack.h"
#include "unwind/process.h"

/* A new of more than this may well fail. */
#define SAFE_NEW (1ULL << 30)

/* The stack of a call, kept in the table; 0 for none. */
static __always_inline u64 capture(struct pt_regs *ctx, struct thread *thread, u64 caller)
{
	u64 stack = stack_capture(ctx, &thread->captured, caller);
	bool is_new = false;

	if (stack && unwind_wants(&thread->captured))
		send_change(PROCESS_UNMAPPED, bpf_get_current_pid_tgid() >> 32, 0, 0);
	/* a stack stays in the table: its reader keeps it */
	if (!stack || stack == thread->kept)
		return stack;
	if (!stack_keep(stack, &thread->captured.record, &is_new))
		return 0;
	thread->kept = stack;
	if (is_new)
		COUNT(stacks);
	return stack;
}

/* What a call was given. */
struct call {
	u64 size;
	u64 address; /* the old block or range, or where posix_memalign puts its result */
	u64 new_length;
	u64 map_flags;
};

static __always_inline void read_arguments(struct pt_regs *ctx, u32 op, struct call *call)
{
	u64 a = PT_REGS_PARM1(ctx), b = PT_REGS_PARM2(ctx), c = PT_REGS_PARM3(ctx);

	switch (op) {
	case MEMLEAK_SIZE:
	case MEMLEAK_OUTER_SIZE:
	case MEMLEAK_NEW: call->size = a; break;
	case MEMLEAK_CALLOC:
		call->size = a * b; /* a product that overflows fails */
		break;
	case MEMLEAK_REALLOC:
		call->address = a;
		call->size = b;
		break;
	case MEMLEAK_REALLOCARRAY:
		call->address = a;
		call->size = b * c;
		break;
	case MEMLEAK_ALIGNED: call->size = b; break;
	case MEMLEAK_POSIX_MEMALIGN:
		call->address = a;
		call->size = c;
		break;
	case MEMLEAK_MMAP:
		call->size = b;
		call->map_flags = PT_REGS_PARM4(ctx);
		break;
	case MEMLEAK_MUNMAP:
		call->address = a;
		call->size = b;
		break;
	case MEMLEAK_MREMAP:
		call->address = a;
		call->size = b;
		call->new_length = c;
		call->map_flags = PT_REGS_PARM4(ctx);
		break;
	}
}

/* Is what the call gives to be recorded, by its size and by sampling? */
static __always_inline bool is_wanted(u32 op, const struct call *call)
{
	u64 asked = op == MEMLEAK_MREMAP ? call->new_length : call->size;
	bool mapping = op >= MEMLEAK_MMAP;

	if (op != MEMLEAK_MUNMAP && (asked < config.min_size || asked > config.max_size)) {
		COUNT(filtered_out);
		return false;
	}
	if (config.sample_threshold && !mapping && bpf_get_prandom_u32() >= config.sample_threshold) {
		COUNT(sampled_out);
		return false;
	}
	if (config.sample_bytes && !mapping && !bytes_sampled(call->size)) {
		COUNT(sampled_out);
		return false;
	}
	return true;
}

/* An operator new that calls malloc: its stack becomes that call's. */
static __always_inline void enter_outer(struct pt_regs *ctx, struct thread *thread, u64 caller, u64 sp)
{
	thread->outer_stack = capture(ctx, thread, caller);
	thread->outer_return = caller;
	thread->outer_sp = sp;
}

/* From here on the call is in flight. Returns whether its return is to be seen. */
static __always_inline bool begin(struct pt_regs *ctx, u32 pid, struct thread *thread, u32 op, bool session, u64 sp,
				  u64 caller, u64 outer)
{
	struct call call = {};
	u32 flags = 0;

	read_arguments(ctx, op, &call);
	if (is_wanted(op, &call))
		flags = RECORD;
	/* before the block is really free: afterwards its address may be another's */
	if ((op == MEMLEAK_REALLOC || op == MEMLEAK_REALLOCARRAY) && call.address) {
		if (take(pid, call.address, &thread->old))
			flags |= HAS_OLD;
	}
	/* Only malloc calls no other allocator function; nested ones must find it in flight. */
	if (session && !flags && op == MEMLEAK_SIZE) {
		mark(ctx, thread, caller);
		return false;
	}
	thread->op = op;
	thread->flags = flags;
	thread->size = call.size;
	thread->address = call.address;
	thread->new_length = call.new_length;
	thread->map_flags = call.map_flags;
	thread->stack = 0;
	thread->enter_ns = op >= MEMLEAK_MMAP ? bpf_ktime_get_ns() : 0;
	if ((flags & RECORD) && op != MEMLEAK_MUNMAP)
		thread->stack = outer ? outer : capture(ctx, thread, caller);
	thread->ip = PT_REGS_IP(ctx);
	thread->sp = sp; /* last: it makes the rest valid */
	return true;
}

/* Returns whether the call's return is to be seen. */
static __always_inline bool enter(struct pt_regs *ctx, u32 op, bool session)
{
	u64 id = bpf_get_current_pid_tgid();
	u32 pid = id >> 32;

	if (!traced(pid))
		return false;
	/* its probe is in all processes (see memleak.bpf.c): of others the return must not be caught */
	if (op == MEMLEAK_NEW && session && !is_chosen(pid))
		return false;
	if (op == MEMLEAK_FREE) {
		enter_free(ctx, pid, (u32)id);
		return false;
	}
	struct thread *thread = thread_of((u32)id, true);

	if (!thread) {
		lost(LOSS_TASK_STATE);
		return false;
	}
	u64 sp = PT_REGS_SP(ctx);

	if (thread->sp) {
		if (is_nested(thread, sp))
			return false;
		thread->sp = 0;
		COUNT(abandoned);
	}
	u64 caller = return_address(ctx, &thread->captured), outer = 0;

	if (is_under_outer(thread, sp)) {
		if (op == MEMLEAK_OUTER)
			return false; /* new[] calls new */
		outer = thread->outer_stack;
	}
	thread->outer_sp = 0;
	if (op == MEMLEAK_OUTER) {
		enter_outer(ctx, thread, caller, sp);
		return false;
	}
	if (op == MEMLEAK_NEW && (!session || PT_REGS_PARM1(ctx) > SAFE_NEW)) {
		COUNT(unseen_new);
		return false;
	}
	if (op >= MEMLEAK_MMAP && is_under_mark(thread, sp, caller))
		return false;
	thread->mark_sp = 0;
	thread->freed = 0;
	thread->seen = 1;
	return begin(ctx, pid, thread, op, session, sp, caller, outer);
}

#endif
