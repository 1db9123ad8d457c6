/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What tasks do off the CPU while they stall; and the stalls that nothing else shows: a task that leaves
 * the CPU with in_memstall set waits for memory, and its stack says for what.
 */
#ifndef SWIFTMEM_MEMSTALL_SWITCHES_H
#define SWIFTMEM_MEMSTALL_SWITCHES_H

#include "vmlinux/core.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "memstall/causes.h"
#include "memstall/limits.h"
#include "memstall/pieces.h"

/* A sleep follows its event at once, or it was none. */
#define SLEEP_FOLLOWS_NS (10 * 1000 * 1000)

/*
 * May the task be in a stall that is known here? Reclaim and compaction set PF_MEMALLOC, throttled
 * writers sleep as for I/O. All other tasks cost this test alone.
 */
static __always_inline bool may_stall(struct task_struct *task)
{
	return BPF_CORE_READ_BITFIELD(task, in_memstall) || BPF_CORE_READ_BITFIELD(task, in_iowait) ||
	       (task->flags & PF_MEMALLOC);
}

/* The current task leaves the CPU. */
static __noinline int goes_off(void *ctx, bool waits)
{
	struct memstall_task *t = current_stall();
	struct memstall_piece *p = t ? innermost(t) : NULL;
	u64 now = bpf_ktime_get_ns();

	if (p && p->kind == MEMSTALL_BY_KSWAPD && !waits) {
		close_piece(t, now); /* it has done its work, and sleeps */
		return 0;
	}
	if (t && t->in_psi && !waits && !config.no_psi) {
		drop_stall(t);
		return 0;
	}
	if (p && p->kind == MEMSTALL_BY_DIRTY && now - t->since_ns > SLEEP_FOLLOWS_NS) {
		u32 tid = t->tid;

		bpf_map_delete_elem(&tasks, &tid);
		return 0;
	}
	if (!p && waits) {
		u32 places = places_of_stack(ctx);
		struct beginning b = {
			.cause = cause_of(places), .kind = MEMSTALL_BY_SWITCH, .order = -1, .psi = true
		};

		if (b.cause == MEMSTALL_MEMCG_HIGH || b.cause == MEMSTALL_MEMCG_MAX)
			b.limit_cgroup = limit_by_counters(b.cause == MEMSTALL_MEMCG_HIGH);
		t = begin_stall(ctx, &b);
	}
	if (t) /* what began here began behind `now` */
		t->off_since_ns = now > t->since_ns ? now : t->since_ns;
	return 0;
}

/* A task comes to this CPU; `tid` is not the current one's yet. */
static __noinline int comes_on(u32 tid)
{
	struct memstall_task *t = bpf_map_lookup_elem(&tasks, &tid);
	struct memstall_piece *p = t ? innermost(t) : NULL;
	u64 now = bpf_ktime_get_ns();

	if (!p || !t->off_since_ns)
		return 0;
	p->off_ns += now - t->off_since_ns;
	t->off_since_ns = 0;
	cpu_takes_over(t, now);
	if (p->kind == MEMSTALL_BY_SWITCH || p->kind == MEMSTALL_BY_DIRTY)
		close_piece(t, now);
	return 0;
}

#endif
