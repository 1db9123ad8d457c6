/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What stalls add up to: the task's row, the histogram, and the event of --trace. */
#ifndef SWIFTMEM_MEMSTALL_SUMS_H
#define SWIFTMEM_MEMSTALL_SUMS_H

#include <bpf/bpf_helpers.h>
#include "memstall/state.h"

/* A stall is over: its numbers go to the task's row. */
static __noinline int add_up(struct memstall_task *t, struct memstall_piece *p, u64 now)
{
	union memstall_blank *zeros = blank();
	u32 slot = 0;

	if (!t || !p || !zeros || !t->wanted)
		return 0;
	struct memstall_key key = { .start_ns = t->start_ns,
				    .cgroup = t->cgroup,
				    .limit_cgroup = p->limit_cgroup,
				    .kernel_stack = p->kernel_stack,
				    .user_stack = p->user_stack,
				    .pid = t->pid,
				    .tid = t->tid,
				    .cause = p->cause };
	struct memstall_counters *c = bpf_map_lookup_elem(&rows, &key);

	if (!c) {
		bpf_map_update_elem(&rows, &key, &zeros->counters, BPF_NOEXIST);
		c = bpf_map_lookup_elem(&rows, &key);
	}
	if (!c) {
		lost(LOSS_MAP_FULL);
		return 0;
	}
	u64 ns = p->own_ns;

	c->stalled_ns += ns;
	c->off_cpu_ns += p->off_ns;
	c->reclaimed_pages += p->reclaimed_pages;
	if (p->psi)
		c->psi_ns += ns;
	__builtin_memcpy(c->comm, t->comm, sizeof(c->comm));
	c->count += 1;
	u32 epoch = setting(MEMSTALL_EPOCH);

	if (c->epoch[epoch & 1] != epoch) {
		c->epoch[epoch & 1] = epoch;
		c->longest_ns[epoch & 1] = 0;
	}
	if (c->longest_ns[epoch & 1] < ns)
		c->longest_ns[epoch & 1] = ns;
	for (u64 us = ns / 1000; us > 1 && slot < MEMSTALL_SLOTS - 1; us >>= 1)
		slot++;
	slot += p->cause * MEMSTALL_SLOTS;
	u64 *count = bpf_map_lookup_elem(&slots, &slot);

	if (count)
		*count += 1;
	if (!config.trace || ns < config.min_ns)
		return 0;
	struct memstall_event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		lost(LOSS_RING_FULL);
		return 0;
	}
	e->end_ns = now;
	e->stalled_ns = ns;
	e->off_cpu_ns = p->off_ns;
	e->reclaimed_pages = p->reclaimed_pages;
	e->cgroup = t->cgroup;
	e->limit_cgroup = p->limit_cgroup;
	e->pid = t->pid;
	e->tid = t->tid;
	e->cause = p->cause;
	e->gfp = p->gfp;
	e->order = p->order;
	e->padding = 0;
	__builtin_memcpy(e->comm, t->comm, sizeof(e->comm));
	bpf_ringbuf_submit(e, 0);
	return 0;
}

#endif
