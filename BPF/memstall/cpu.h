/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * How long each CPU had a stalled task. PSI (kernel/sched/psi.c) keeps that per CPU and weighs
 * the CPUs by the time they were not idle; two tasks that stall on one CPU count once.
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

static __always_inline void cpu_stalls(struct memstall_task *t, u64 now)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct memstall_cpu *c = bpf_map_lookup_elem(&cpus, &cpu);

	if (!c)
		return;
	settle(c);
	t->cpu = cpu;
	__atomic_fetch_add(&c->stalled, 1, __ATOMIC_RELAXED);
	if (!c->since_ns)
		c->since_ns = now;
}

/* A task leaves the ones that stall on a CPU that is not this one. */
static __always_inline void leaves_other(u32 cpu, u64 now)
{
	struct memstall_cpu *there = bpf_map_lookup_elem(&cpus, &cpu);

	if (!there)
		return;
	there->left_ns = now;
	__atomic_fetch_add(&there->left, 1, __ATOMIC_RELAXED);
}

static __always_inline void cpu_goes_on(struct memstall_task *t, u64 now)
{
	u32 cpu = t->cpu;
	struct memstall_cpu *c = bpf_map_lookup_elem(&cpus, &cpu);

	if (!c)
		return;
	if (cpu != bpf_get_smp_processor_id()) {
		leaves_other(cpu, now);
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

/* The task stalls on this CPU from now on, where it was on another. */
static __always_inline void cpu_takes_over(struct memstall_task *t, u64 now)
{
	if (!t->in_psi || t->cpu == bpf_get_smp_processor_id())
		return;
	leaves_other(t->cpu, now);
	cpu_stalls(t, now);
}

#endif
