/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A process's swap entries, followed by kmem:rss_stat since 6.2 (lib/rss_follow.h): growth is swapped
 * out; what becomes less in a page fault came back.
 */
#ifndef SWIFTMEM_SWAPIN_SWAP_ENTRIES_H
#define SWIFTMEM_SWAPIN_SWAP_ENTRIES_H

#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#define RSS_FOLLOWED MM_SWAPENTS
#include "lib/rss_follow.h"
#include "lib/unpreempted.h"
#include "swapin/page_faults.h"
#include "swapin/swapped_out.h"
#include "swapin/waits.h"

/* Only address spaces that are followed from the start: of others the first change is not known. */
SEC("tp_btf/rss_stat")
int UNPREEMPTED(swap_rss_btf, struct mm_struct *mm, int member)
{
	u64 key = address_of(mm);

	if (member != MM_SWAPENTS || !bpf_map_lookup_elem(&rss_spaces, &key))
		return 0;
	bool late = false;
	s64 change = rss_change(mm, true, &late);

	if (change > 0 && !late && config.swapouts)
		swapped_out(mm, change);
	if ((change >= 0 && !late) || !(config.pages_by_fault || config.waits_by_fault))
		return 0;
	u64 begin = page_fault_served();

	if (!begin)
		return 0;
	if (config.pages_by_fault) {
		struct swapin_counters *c = current_process();

		if (c)
			c->pages += -change;
	}
	if (config.waits_by_fault)
		count_wait(bpf_ktime_get_ns() - begin);
	return 0;
}

static __always_inline void follow(struct mm_struct *mm)
{
	rss_gone(mm); /* another that lived at its address */
	rss_seed(mm);
}

SEC("tp_btf/sched_process_exec")
int UNPREEMPTED(mm_exec_btf, struct task_struct *task)
{
	if (task->mm)
		follow(task->mm);
	return 0;
}

/* A fork copies swap entries before this: nothing of that was swapped out. */
SEC("tp_btf/sched_process_fork")
int UNPREEMPTED(mm_fork_btf, struct task_struct *parent, struct task_struct *child)
{
	if (child->mm && child->mm != parent->mm)
		follow(child->mm);
	return 0;
}

#endif
