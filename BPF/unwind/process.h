/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A process has its parent's mappings after fork, none after exec, new ones when it asks. */
#ifndef SWIFTMEM_UNWIND_PROCESS_H
#define SWIFTMEM_UNWIND_PROCESS_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "lib/loss.h"
#include "unwind/maps.h"
#include "unwind/state.h"

/* A child has its parent's mappings until user space has read its own. */
static __always_inline void unwind_forked(u32 parent, u32 child)
{
	if (stack_config.mode == STACK_FP)
		return;
	u32 *owner = bpf_map_lookup_elem(&unwind_parents, &parent);
	u32 pid = owner ? *owner : parent;

	if (bpf_map_update_elem(&unwind_parents, &child, &pid, BPF_ANY))
		lost(LOSS_MAP_FULL);
}

/* Nothing known of a process's mappings is true any more. `state` is its only thread's, or NULL. */
static __always_inline void unwind_execed(u32 pid, struct stack_state *state)
{
	if (state)
		state->walk.trampoline = 0;
	if (stack_config.mode == STACK_FP)
		return;
	struct unwind_page_key key = { .pid = pid };

	bpf_map_delete_elem(&unwind_parents, &pid);
	bpf_map_delete_elem(&unwind_pages, &key);
	if (state)
		state->walk.generation = 0;
}

/* Does user space get an event, because this thread's walk met an address in no mapping known? */
static __always_inline bool unwind_wants(const struct stack_state *state)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	u64 pc = state->walk.pc;

	if (stack_config.mode == STACK_FP || state->record.end != STACK_NO_MAPPING)
		return false;
	return bpf_map_update_elem(&unwind_wanted, &pid, &pc, BPF_NOEXIST) == 0;
}

#endif
