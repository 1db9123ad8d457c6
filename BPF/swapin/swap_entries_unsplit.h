/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The same until 6.1: an address space has one counter, and each thread what it has not added yet. */
#ifndef SWIFTMEM_SWAPIN_SWAP_ENTRIES_UNSPLIT_H
#define SWIFTMEM_SWAPIN_SWAP_ENTRIES_UNSPLIT_H

#include "vmlinux/compat.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/percpu.h"
#include "lib/unpreempted.h"
#include "swapin/progress.h"
#include "swapin/swap_entries.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, RSS_SPACES);
	__type(key, u64);
	__type(value, s64);
} swap_counts SEC(".maps");

static __always_inline void follow_count(struct mm_struct *mm)
{
	struct mm_struct___unsplit_rss *old = (void *)mm;
	u64 key = address_of(mm);
	s64 count = 0;

	bpf_core_read(&count, sizeof(count), &old->rss_stat.count[MM_SWAPENTS].counter);
	if (bpf_map_update_elem(&swap_counts, &key, &count, BPF_ANY))
		lost(LOSS_MAP_FULL);
}

SEC("tp_btf/rss_stat")
int UNPREEMPTED(unsplit_rss_btf, struct mm_struct *mm, int member, long count)
{
	if (member != MM_SWAPENTS)
		return 0;
	u64 key = address_of(mm);
	s64 *last = bpf_map_lookup_elem(&swap_counts, &key);

	if (!last)
		return 0;
	s64 change = count - *last;

	*last = count;
	/* try_to_unmap_one() swaps out one by one: what seems more is another thread's fault that came here later */
	if (change == 1) {
		if (config.swapouts)
			swapped_out(mm, change);
		return 0;
	}
	if (!config.pages_by_fault)
		return 0;
	/*
	 * Only do_swap_page() takes pages off by way of the thread's own count, which is
	 * added here and not yet zeroed; an unmapping finds it zero. What reclaim adds
	 * meanwhile, in this same task, is no such moment.
	 */
	struct task_struct___unsplit_rss *task = (void *)bpf_get_current_task();
	int flushed = 0;

	bpf_core_read(&flushed, sizeof(flushed), &task->rss_stat.count[MM_SWAPENTS]);
	if (flushed < 0) {
		struct swapin_counters *c = current_process();

		if (c)
			c->pages += -flushed;
	}
	return 0;
}

SEC("tp_btf/sched_process_exec")
int UNPREEMPTED(unsplit_exec_btf, struct task_struct *task)
{
	if (task->mm)
		follow_count(task->mm);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int UNPREEMPTED(unsplit_fork_btf, struct task_struct *parent, struct task_struct *child)
{
	if (child->mm && child->mm != parent->mm)
		follow_count(child->mm);
	return 0;
}

SEC("iter/task")
int unsplit_start_iter(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task && task->pid == task->tgid && task->mm)
		follow_count(task->mm);
	return 0;
}

#endif
