/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the kernel's struct oom_control says: the argument of oom_kill_process(). Where no
 * function hook attaches it is found on the stack.
 */
#ifndef SWIFTMEM_OOMKILL_OOM_CONTEXT_H
#define SWIFTMEM_OOMKILL_OOM_CONTEXT_H

#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/page.h"
#include "lib/percpu.h"
#include "oomkill/state.h"

/* The outermost part of a stack: all of it, but for arm64's with pages of 64 KiB, which is as large as a page. */
#define STACK_BYTES 16384
#define STACK_WORDS (STACK_BYTES / 8)

#define STACK_MATCHES 32

/* A copy of that part of the current stack, and which of its words are the victim's address. */
struct stack_copy {
	u64 words[STACK_WORDS];
	u32 matches[STACK_MATCHES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct stack_copy);
} stack_copies SEC(".maps");

/* A member of an oom_control's bytes, where the running kernel has it. */
#define MEMBER(type, bytes, name) (*(type *)((bytes) + bpf_core_field_offset(struct oom_control, name)))

static __always_inline bool read_context(struct oom_context *to, struct oom_control *oc)
{
	/* one read, for one branch: this is done for each candidate on the stack */
	u64 words[8];
	void *bytes = words;

	if (bpf_probe_read_kernel(words, sizeof(words), oc))
		return false;
	to->memcg = MEMBER(struct mem_cgroup *, bytes, memcg);
	to->chosen = MEMBER(struct task_struct *, bytes, chosen);
	to->totalpages = MEMBER(u64, bytes, totalpages);
	to->gfp_mask = MEMBER(u32, bytes, gfp_mask);
	to->order = MEMBER(s32, bytes, order);
	to->constraint = MEMBER(u32, bytes, constraint);
	to->padding = 0;
	return true;
}

static __always_inline int begin_oom(struct oom_control *oc)
{
	struct oom *oom = current_oom();

	if (!oom)
		return 0;
	oom->kill_id = new_kill_id();
	oom->oc_address = read_context(&oom->oc, oc) ? oc : NULL;
	return 0;
}

/* Could these words be the oom_control that chose this victim? */
static __always_inline bool plausible(const struct oom_context *oc)
{
	/* & and |, not && and ||: fewer branches for the verifier */
	return (oc->constraint <= 3) & (oc->order >= -1) & (oc->order <= 20) & (oc->totalpages - 1 < (1UL << 52)) &
	       ((oc->memcg == NULL) | ((s64)oc->memcg < 0));
}

/* 1 where x is 0: no branch, of which the verifier allows 8192 undecided ones. */
static __always_inline u64 is_zero(u64 x)
{
	u64 sign = -x;

	barrier_var(sign); /* each keeps clang from making a branch of it */
	sign |= x;
	barrier_var(sign);
	sign >>= 63;
	barrier_var(sign);
	return sign ^ 1;
}

/*
 * mark_victim runs deep below the function whose local variable the oom_control is, in the
 * same task, and one of its words is the victim's address. The outermost match is the live one.
 */
static __noinline int find_on_stack(struct task_struct *victim, struct oom *oom)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u64 leader = (u64)BPF_CORE_READ(victim, group_leader), self = address_of(victim);
	void *stack = BPF_CORE_READ(task, stack);
	u64 *base = stack + (PAGE_SIZE > STACK_BYTES ? PAGE_SIZE - STACK_BYTES : 0);
	u32 zero = 0;
	struct stack_copy *copy = bpf_map_lookup_elem(&stack_copies, &zero);

	if (!copy || bpf_probe_read_kernel(copy->words, STACK_BYTES, base))
		return 0;
	u32 matches = 0;

	for (int i = STACK_WORDS - 1; i >= 0; i--) {
		u64 word = copy->words[i];

		copy->matches[matches & (STACK_MATCHES - 1)] = i;
		matches += is_zero(word ^ leader) | is_zero(word ^ self);
	}
	for (u32 i = 0; i < STACK_MATCHES && i < matches; i++) {
		void *at = base + copy->matches[i];
		struct oom_control *oc = at - bpf_core_field_offset(struct oom_control, chosen);

		if (!read_context(&oom->oc, oc) || !plausible(&oom->oc))
			continue;
		oom->oc_address = oc;
		return 1;
	}
	return 0;
}

/* Is the OOM that this task was in still the same one? (memory.oom.group kills many) */
static __always_inline bool same_oom(const struct oom *oom)
{
	struct oom_context now;

	if (!oom->oc_address || !read_context(&now, oom->oc_address))
		return false;
	return now.chosen == oom->oc.chosen && now.totalpages == oom->oc.totalpages && now.memcg == oom->oc.memcg &&
	       now.gfp_mask == oom->oc.gfp_mask;
}

#endif
