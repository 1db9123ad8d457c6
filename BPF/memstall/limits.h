/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The cgroup whose limit it is, where nothing names the one that is reclaimed from: the task's own or
 * one above it. A charge fails at the lowest whose usage would pass its maximum
 * (page_counter_try_charge(), mm/page_counter.c), and reclaim beyond memory.high goes
 * up from the task's own, one after another (reclaim_high(), mm/memcontrol.c).
 */
#ifndef SWIFTMEM_MEMSTALL_LIMITS_H
#define SWIFTMEM_MEMSTALL_LIMITS_H

#include "vmlinux/cgroup.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/cgroup.h"
#include "memstall/state.h"

/* MEMCG_CHARGE_BATCH (include/linux/memcontrol.h) */
#define CHARGE_BATCH 64

static __always_inline struct mem_cgroup *memcg_above(struct mem_cgroup *memcg)
{
	/* css is the first member */
	return (struct mem_cgroup *)BPF_CORE_READ(memcg, css.parent);
}

static __noinline u64 limit_by_counters(bool high)
{
	struct mem_cgroup *memcg = memcg_of((void *)bpf_get_current_task()), *nearest = NULL;
	s64 least = 1LL << 62;

	for (int i = 0; i < CGROUP_DEPTH && memcg; i++) {
		s64 usage = BPF_CORE_READ(memcg, memory.usage.counter);
		s64 limit = high ? BPF_CORE_READ(memcg, memory.high) : BPF_CORE_READ(memcg, memory.max);

		if (limit - usage < least) {
			least = limit - usage;
			nearest = memcg;
		}
		/* another CPU's reclaim may have made room meanwhile: then the nearest to its limit */
		if (limit - usage <= (high ? 0 : CHARGE_BATCH))
			break;
		memcg = memcg_above(memcg);
	}
	return cgroup_of(nearest);
}

#endif
