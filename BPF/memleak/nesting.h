/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Calls within calls: an allocator calls itself, and only the outermost call counts. Which
 * one that is, the stack pointer and the return addresses on the stack tell.
 */
#ifndef SWIFTMEM_MEMLEAK_NESTING_H
#define SWIFTMEM_MEMLEAK_NESTING_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "memleak/state.h"
#include "lib/stack.h"
#include "unwind/return_probe.h"

/*
 * Is a call at `sp` within the one in flight? At the same depth it is where a tail call led
 * there. A frame that an exception left is told by its return address, which is not the kernel's
 * trampoline any more, or is it by the return probe of another call or another tracer; on arm64
 * that address is in a register, and depth alone decides.
 */
static __always_inline bool is_nested(struct thread *thread, u64 sp)
{
	if (sp > thread->sp)
		return false;
#if defined(__TARGET_ARCH_x86)
	u64 there = 0;

	if (bpf_probe_read_user(&there, sizeof(there), (void *)thread->sp))
		return false;
	return there && there == trampoline_of(&thread->captured.walk) && is_return_caught(thread->sp, thread->ip);
#else
	return sp < thread->sp;
#endif
}

/* Does the return address of a call whose stack pointer was `sp` still stand there? */
static __always_inline bool still_returns(struct thread *thread, u64 sp, u64 address)
{
#if defined(__TARGET_ARCH_x86)
	u64 there = 0;

	if (bpf_probe_read_user(&there, sizeof(there), (void *)sp))
		return false;
	return real_return(&thread->captured.walk, there, sp) == address;
#else
	return true;
#endif
}

/* An allocator's own frames below a call of it take this at most. */
#define ALLOCATOR_DEPTH 8192
/* An allocator's calls come from its own file. */
#define SAME_FILE (8 << 20)

static __always_inline void mark(struct pt_regs *ctx, struct thread *thread, u64 caller)
{
	thread->mark_sp = PT_REGS_SP(ctx);
	thread->mark_return = caller;
	thread->mark_ip = PT_REGS_IP(ctx);
}

/*
 * Is this call of mmap, munmap or mremap made by the marked call, whose return is
 * not watched? It is when it comes from the allocator's text, from not far below,
 * and the marked call's return address still stands on the stack.
 */
static __always_inline bool is_under_mark(struct thread *thread, u64 sp, u64 caller)
{
	u64 distance = caller - thread->mark_ip + SAME_FILE;

	if (!thread->mark_sp || sp > thread->mark_sp || thread->mark_sp - sp > ALLOCATOR_DEPTH ||
	    distance > 2 * SAME_FILE)
		return false;
	return still_returns(thread, thread->mark_sp, thread->mark_return);
}

/* An allocator's source file compiles to this at most. */
#define OWN_TEXT (64 << 10)

/*
 * Does the allocator free what it gave itself? glibc's threads free their cache
 * like this at their end.
 */
static __always_inline bool is_own_call(struct pt_regs *ctx, struct thread *thread)
{
	return return_address(ctx, &thread->captured) - PT_REGS_IP(ctx) + OWN_TEXT < 2 * OWN_TEXT;
}

/* operator new's own frames take this at most. */
#define OUTER_DEPTH 512

/* Is an operator new, entered before, on its way to a call at `sp`? */
static __always_inline bool is_under_outer(struct thread *thread, u64 sp)
{
	if (!thread->outer_sp || sp > thread->outer_sp || thread->outer_sp - sp > OUTER_DEPTH)
		return false;
	return still_returns(thread, thread->outer_sp, thread->outer_return);
}

#endif
