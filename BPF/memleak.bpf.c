/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * memleak: what processes allocate and do not free.
 *
 * Heap blocks are kept in `blocks` by process and address: put there when the
 * call that gave them returns, taken out when the call that frees them begins,
 * so that no other thread can have the address meanwhile. Mappings go to
 * user space call by call, for parts of them can be unmapped.
 *
 * An allocator calls itself: malloc maps memory, calloc may call malloc, operator
 * new does. Only the outermost call counts. It is in flight from its entry to its
 * return and known by its stack pointer, which is what call depth is: a call with
 * a lower one is nested in it, a call with a higher one proves that it was left
 * without returning (an exception, longjmp).
 *
 * C++'s operator new may throw, and an exception can't pass a frame whose return
 * address the kernel has replaced: the program would be terminated. Where it calls
 * malloc, its entry is enough: the stack taken there becomes malloc's. Where it does
 * not, its return is watched only of sizes that hardly fail, and only by a session,
 * which can choose. A session of another process is not asked here, and its return caught for it
 * all the same (uprobe_prog_run() returns 0 for who is filtered out): so such an operator new has
 * a session in every process that has the file, which lets go of all but the chosen ones'.
 *
 * state.h has what is kept, nesting.h which call is the outermost, entry.h and return.h what
 * is done at a call's two ends (free.h at a free's one), sampled.h what a sampler in the
 * process has chosen, ledger.h the blocks, processes.h fork, exec and exit.
 *
 * Three ways to be attached, one set of rules:
 *   perf     an entry and a return probe a function, a program each (no cookies
 *            before 5.15)
 *   multi    one program for all entries, one for all returns, distinguished by its cookie
 *   session  one program for both, which skips the return where it isn't wanted; functions that
 *            are seen at their entry alone have multi's
 */
#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/private_stack.h"
#include "memleak/entry.h"
#include "memleak/processes.h"
#include "memleak/return.h"
#include "memleak/sampled.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* For benchmarks the programs do nothing: what the probes themselves cost. */
#define EMPTY(result) \
	do { \
		if (config.empty) \
			return result; \
	} while (0)

#define UPROBE(name, op) \
	SEC("uprobe") \
	int name##_uprobe(struct pt_regs *ctx) \
	{ \
		EMPTY(0); \
		NO_PRIVATE_STACK(ctx, no_programs); \
		enter(ctx, op, false); \
		return 0; \
	}

/* ---- perf: a program a function ---- */

UPROBE(malloc, MEMLEAK_SIZE)
UPROBE(new, MEMLEAK_NEW)
UPROBE(outer_new, MEMLEAK_OUTER)
UPROBE(calloc, MEMLEAK_CALLOC)
UPROBE(realloc, MEMLEAK_REALLOC)
UPROBE(reallocarray, MEMLEAK_REALLOCARRAY)
UPROBE(aligned_alloc, MEMLEAK_ALIGNED)
UPROBE(posix_memalign, MEMLEAK_POSIX_MEMALIGN)
UPROBE(free, MEMLEAK_FREE)
UPROBE(mmap, MEMLEAK_MMAP)
UPROBE(munmap, MEMLEAK_MUNMAP)
UPROBE(mremap, MEMLEAK_MREMAP)

SEC("uretprobe")
int call_uretprobe(struct pt_regs *ctx)
{
	EMPTY(0);
	NO_PRIVATE_STACK(ctx, no_programs);
	leave(ctx);
	return 0;
}

/* ---- the sampler's, which are few: perf, on every kernel ---- */

NO_PROGRAMS(no_sampled);

SEC("uprobe")
int sampled_uprobe(struct pt_regs *ctx)
{
	NO_PRIVATE_STACK(ctx, no_sampled);
	enter_sampled(ctx);
	return 0;
}

SEC("uprobe")
int sampled_free_uprobe(struct pt_regs *ctx)
{
	NO_PRIVATE_STACK(ctx, no_sampled);
	enter_sampled_free(ctx);
	return 0;
}

/* ---- multi: distinguished by its cookie ---- */

SEC("uprobe")
int call_enter_multi(struct pt_regs *ctx)
{
	EMPTY(0);
	NO_PRIVATE_STACK(ctx, no_programs);
	enter(ctx, bpf_get_attach_cookie(ctx), false);
	return 0;
}

SEC("uretprobe")
int call_return_multi(struct pt_regs *ctx)
{
	EMPTY(0);
	NO_PRIVATE_STACK(ctx, no_programs);
	leave(ctx);
	return 0;
}

/* ---- session ---- */

/* Seen from the return, the instruction pointer is the caller's already. */
SEC("uprobe")
int call_session(struct pt_regs *ctx)
{
	EMPTY(0);
	NO_PRIVATE_STACK(ctx, no_sessions);
	if (PT_REGS_IP(ctx) != bpf_get_func_ip(ctx)) {
		leave(ctx);
		return 0;
	}
	return enter(ctx, bpf_get_attach_cookie(ctx), true) ? 0 : 1;
}
