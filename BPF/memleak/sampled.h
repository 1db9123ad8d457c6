/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Blocks that a sampler in the process chose (Sampler/probes.c). It calls once for each, whatever called it, when the
 * block is the program's; and once before it is freed. So nothing is nested, and no return is waited for.
 */
#ifndef SWIFTMEM_MEMLEAK_SAMPLED_H
#define SWIFTMEM_MEMLEAK_SAMPLED_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/loss.h"
#include "memleak/entry.h"
#include "memleak/ledger.h"

static __always_inline void enter_sampled(struct pt_regs *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), size = PT_REGS_PARM2(ctx);
	u32 pid = id >> 32;

	if (!traced(pid))
		return;
	if (size < config.min_size || size > config.max_size) {
		COUNT(filtered_out);
		return;
	}
	struct thread *thread = thread_of((u32)id, true);

	if (!thread) {
		lost(LOSS_TASK_STATE);
		return;
	}
	struct memleak_block block = {
		.size = size,
		.time_ns = bpf_ktime_get_ns(),
		.stack = capture(ctx, thread, return_address(ctx, &thread->captured)),
	};

	if (!block.stack)
		lost(LOSS_NO_STACK);
	if (put_new(pid, PT_REGS_PARM1(ctx), &block))
		COUNT(allocations);
}

static __always_inline void enter_sampled_free(struct pt_regs *ctx)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct memleak_key key = { .address = PT_REGS_PARM1(ctx), .pid = pid };

	if (!traced(pid))
		return;
	if (bpf_map_delete_elem(&blocks, &key))
		COUNT(unmatched_frees);
	else
		COUNT(frees);
}

#endif
