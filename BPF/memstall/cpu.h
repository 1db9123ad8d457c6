/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * How long each CPU had a stalled task, of the machine and of each cgroup. PSI (kernel/sched/psi.c) keeps
 * that per CPU and weighs the CPUs by the time they were not idle; two tasks that stall on one CPU
 * count once. A cgroup is the stalled tasks' own: they are in leaves, so those above it
 * have no tasks but its.
 */
#ifndef SWIFTMEM_MEMSTALL_CPU_H
#define SWIFTMEM_MEMSTALL_CPU_H

#include "memstall/state.h"

/* Takes out those that another CPU has taken over meanwhile. */
static __always_inline void settle(struct memstall_cpu *c)
{
	u64 left = *(volatile u64 *)&c->left, gone = left - c->left_seen;

	if (!gone)
		return;
	c->left_seen = left;
	__atomic_fetch_add(&c->stalled, -(s64)gone, __ATOMIC_RELAXED);
	if (c->stalled > 0)
		return;
	if (c->since_ns && c->left_ns > c->since_ns)
		c->some_ns += c->left_ns - c->since_ns;
	c->since_ns = 0;
}

static __always_inline void one_more(struct memstall_cpu *c, u64 now)
{
	settle(c);
	__atomic_fetch_add(&c->stalled, 1, __ATOMIC_RELAXED);
	if (!c->since_ns)
		c->since_ns = now;
}

static __always_inline void one_less(struct memstall_cpu *c, bool here, u64 now)
{
	if (!here) { /* it stalled on a CPU that is not this one */
		c->left_ns = now;
		__atomic_fetch_add(&c->left, 1, __ATOMIC_RELAXED);
		return;
	}
	settle(c);
	__atomic_fetch_add(&c->stalled, -1, __ATOMIC_RELAXED);
	if (c->stalled > 0)
		return;
	if (c->since_ns)
		c->some_ns += now - c->since_ns;
	c->since_ns = 0;
}

/* The cgroup on the CPU, made where it is not there yet. */
static __always_inline struct memstall_cpu *group_cpu(u64 cgroup, u32 cpu)
{
	struct memstall_group_cpu key = { .cgroup = cgroup, .cpu = cpu };
	struct memstall_cpu *c = bpf_map_lookup_elem(&group_cpus, &key);
	union memstall_blank *zeros = blank();

	if (c || !zeros || !cgroup)
		return c;
	bpf_map_update_elem(&group_cpus, &key, &zeros->cpu, BPF_NOEXIST);
	c = bpf_map_lookup_elem(&group_cpus, &key);
	if (!c)
		lost(LOSS_MAP_FULL);
	return c;
}

static __noinline int cpu_stalls(struct memstall_task *t, u64 now)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct memstall_cpu *c = bpf_map_lookup_elem(&cpus, &cpu);

	if (!t)
		return 0;
	t->cpu = cpu;
	if (c)
		one_more(c, now);
	c = group_cpu(t->cgroup, cpu);
	if (c)
		one_more(c, now);
	return 0;
}

/* The task no longer stalls on the CPU where it was counted. */
static __noinline int cpu_goes_on(struct memstall_task *t, u64 now)
{
	if (!t)
		return 0;
	u32 cpu = t->cpu;
	struct memstall_group_cpu key = { .cgroup = t->cgroup, .cpu = cpu };
	struct memstall_cpu *c = bpf_map_lookup_elem(&cpus, &cpu);
	bool here = cpu == bpf_get_smp_processor_id();

	if (c)
		one_less(c, here, now);
	c = bpf_map_lookup_elem(&group_cpus, &key);
	if (c)
		one_less(c, here, now);
	return 0;
}

/* The task stalls on this CPU from now on, where it was on another. */
static __always_inline void cpu_takes_over(struct memstall_task *t, u64 now)
{
	if (!t->in_psi || t->cpu == bpf_get_smp_processor_id())
		return;
	cpu_goes_on(t, now);
	cpu_stalls(t, now);
}

#endif
