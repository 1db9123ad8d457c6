/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Follows one of an address space's counters of resident pages (mm->rss_stat[]) by its
 * kmem:rss_stat events, on kernels that split the counter over the CPUs (6.2).
 *
 * The event comes right behind each change and does not say its amount. lib/percpu_counter.c
 * adds to this CPU's part of the counter, or adds that part and the amount to the
 * central count and makes the part zero. So the change is what both have grown by since the
 * last event here. Two CPUs that add to the central count at once may see each other's amount: the first
 * counts both, the other takes off again what it has put there, and only by its context is
 * told from one that has unmapped pages. The sum is the same.
 *
 * Before this header the tool defines RSS_FOLLOWED, the counter: MM_FILEPAGES, MM_SWAPENTS.
 */
#ifndef SWIFTMEM_RSS_FOLLOW_H
#define SWIFTMEM_RSS_FOLLOW_H

#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/call_registers.h"
#include "lib/loss.h"
#include "lib/percpu.h"

#define RSS_SPACES 16384

struct rss_space {
	u64 born; /* tells this mm from an earlier one at the same address */
	s64 central;
	u32 fresh; /* followed from its making: parts not seen yet are zero */
	u32 padding;
};

struct rss_cpu {
	u64 mm;
	u64 cpu;
};

struct rss_part {
	u64 born;
	s64 local;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, RSS_SPACES);
	__type(key, u64);
	__type(value, struct rss_space);
} rss_spaces SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 2 * RSS_SPACES);
	__type(key, struct rss_cpu);
	__type(value, struct rss_part);
} rss_parts SEC(".maps");

/* A fault of user space's that does not reclaim memory: it makes pages resident, but for the one that it copies. */
static __always_inline bool in_user_fault(void)
{
	struct pt_regs *regs = current_registers();

	return regs && call_number(regs) == -1 && !(bpf_get_current_task_btf()->flags & PF_MEMALLOC);
}

/*
 * What the counter has changed by since its last event. `wanted`: a state that is not known is a loss. `late`: this
 * CPU's part went to the central count, and another CPU's event has counted it: what is taken off again.
 */
static __always_inline s64 rss_change(struct mm_struct *mm, bool wanted, bool *late)
{
	struct rss_cpu at = { .mm = address_of(mm), .cpu = bpf_get_smp_processor_id() };
	u64 key = at.mm, offset = 0;
	struct percpu_counter *counter = mm_counter(mm, RSS_FOLLOWED);
	s32 *counters = BPF_CORE_READ(counter, counters), local = 0;

	if (!percpu_offset(percpu_probe_pointer(), at.cpu, &offset) ||
	    bpf_probe_read_kernel(&local, sizeof(local), (void *)counters + offset)) {
		lost(LOSS_UNREADABLE);
		return 0;
	}

	struct rss_space *space = bpf_map_lookup_elem(&rss_spaces, &key);

	if (!space) {
		struct rss_space unknown = { .born = bpf_ktime_get_ns(), .central = BPF_CORE_READ(counter, count) };

		bpf_map_update_elem(&rss_spaces, &key, &unknown, BPF_NOEXIST);
		space = bpf_map_lookup_elem(&rss_spaces, &key);
		if (!space) {
			lost(LOSS_MAP_FULL);
			return 0;
		}
	}
	s64 change = central_change(&space->central, counter);
	struct rss_part *part = bpf_map_lookup_elem(&rss_parts, &at);

	if (part && part->born == space->born) {
		s64 before = part->local;

		change += local - before;
		part->local = local;
		*late = !local && (before > 1 ? change < 0 : before < -1 && change > 0) && in_user_fault();
		return change;
	}
	struct rss_part now = { .born = space->born, .local = local };

	if (bpf_map_update_elem(&rss_parts, &at, &now, BPF_ANY))
		lost(LOSS_MAP_FULL);
	if (space->fresh)
		return change + local;
	/*
	 * fork() fills a child's address space before anybody can know it: that is no
	 * access. A running task's own one should be known.
	 */
	struct task_struct *task = (void *)bpf_get_current_task();

	if (wanted && BPF_CORE_READ(task, mm) == mm)
		lost(LOSS_NO_BASELINE);
	return 0;
}

/* A task has a new address space, by exec or by fork: parts not seen yet are zero. */
static __always_inline void rss_born(struct mm_struct *mm)
{
	u64 key = address_of(mm);
	struct rss_space *space = bpf_map_lookup_elem(&rss_spaces, &key);

	if (space) {
		space->fresh = 1;
		return;
	}
	struct rss_space fresh = {
		.born = bpf_ktime_get_ns(),
		.central = BPF_CORE_READ(mm_counter(mm, RSS_FOLLOWED), count),
		.fresh = 1,
	};

	if (bpf_map_update_elem(&rss_spaces, &key, &fresh, BPF_ANY))
		lost(LOSS_MAP_FULL);
}

/* An address space that is there at the start: every part that is not zero is noted. */
static __always_inline void rss_seed(struct mm_struct *mm)
{
	u64 key = address_of(mm), probe = percpu_probe_pointer();
	struct percpu_counter *counter = mm_counter(mm, RSS_FOLLOWED);
	s32 *counters = BPF_CORE_READ(counter, counters);
	struct rss_space space = {
		.born = bpf_ktime_get_ns(),
		.central = BPF_CORE_READ(counter, count),
		.fresh = 1,
	};

	for (u32 cpu = 0; cpu < MAX_CPUS && cpu < possible_cpus; cpu++) {
		struct rss_cpu at = { .mm = key, .cpu = cpu };
		struct rss_part part = { .born = space.born };
		u64 offset = 0;
		s32 local = 0;

		if (!percpu_offset(probe, cpu, &offset))
			break;
		bpf_probe_read_kernel(&local, sizeof(local), (void *)counters + offset);
		part.local = local;
		if (local)
			bpf_map_update_elem(&rss_parts, &at, &part, BPF_NOEXIST);
	}
	bpf_map_update_elem(&rss_spaces, &key, &space, BPF_NOEXIST);
}

SEC("iter/task")
int mm_start_iter(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task && task->pid == task->tgid && task->mm)
		rss_seed(task->mm);
	return 0;
}

/* An address space is gone; another may be made at its address. */
static __always_inline void rss_gone(struct mm_struct *mm)
{
	u64 key = address_of(mm);

	bpf_map_delete_elem(&rss_spaces, &key);
}

#endif
