/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Counters by process: whose they are, and where its cgroup is. */
#ifndef SWIFTMEM_SWAPIN_PROCESS_H
#define SWIFTMEM_SWAPIN_PROCESS_H

#include "vmlinux/cgroup.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/cgroup.h"
#include "lib/filter.h"
#include "lib/loss.h"
#include "swapin.h"
#define PROCESS_KEY struct swapin_key
#define PROCESS_COUNTERS struct swapin_counters
#define PROCESSES SWAPIN_PROCESSES
#include "lib/process.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SWAPIN_CGROUPS);
	__type(key, u64);
	__type(value, struct swapin_cgroup);
} cgroups SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct swapin_cgroup);
} cgroup_scratch SEC(".maps");

/* filtered_in() of filter.h, for any task and by its process: its id, name and cgroup. */
static __always_inline bool process_filtered_in(struct task_struct *leader)
{
	if (filter.flags == 0)
		return true;
	if ((filter.flags & FILTER_PID) && (u32)BPF_CORE_READ(leader, tgid) != filter.pid)
		return false;
	if (filter.flags & FILTER_COMM) {
		char comm[16] = {};

		bpf_core_read_str(comm, sizeof(comm), &leader->comm);
		if (!is_filters_comm(comm))
			return false;
	}
	if (filter.flags & FILTER_CGROUP2)
		return default_cgroup_is_below(leader, filter.cgroup_id);
	if (filter.flags & FILTER_CGROUP1)
		return memcg_is_below(memcg_of(leader), filter.cgroup_id);
	return true;
}

/* Keeps a cgroup's path the first time it is met. */
static __always_inline void remember_cgroup(struct mem_cgroup *memcg, u64 id)
{
	u32 zero = 0;
	struct swapin_cgroup *path = bpf_map_lookup_elem(&cgroup_scratch, &zero);

	if (!path || bpf_map_lookup_elem(&cgroups, &id))
		return;
	path->length = memcg_path(memcg, path->names, sizeof(path->names));
	if (bpf_map_update_elem(&cgroups, &id, path, BPF_ANY))
		lost(LOSS_MAP_FULL);
}

/* A task's process's counters of this CPU; NULL when it is filtered out or there is no room. */
static __noinline struct swapin_counters *process_of(struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	if (!leader || !process_filtered_in(leader))
		return NULL;
	struct swapin_counters *c = counters_of_process(leader);

	if (!c)
		return NULL;
	struct mem_cgroup *memcg = memcg_of(leader);
	u64 id = memcg ? BPF_CORE_READ(memcg, css.cgroup, kn, id) : 0;

	if (id != c->cgroup) {
		c->cgroup = id;
		if (id)
			remember_cgroup(memcg, id);
	}
	return c;
}

static __always_inline struct swapin_counters *current_process(void)
{
	return process_of((void *)bpf_get_current_task());
}

#endif
