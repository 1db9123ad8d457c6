/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What is kept: tasks that stall now, what is added up, and how the tool is set. */
#ifndef SWIFTMEM_MEMSTALL_STATE_H
#define SWIFTMEM_MEMSTALL_STATE_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "lib/cgroup.h"
#include "lib/loss.h"
#include "memstall.h"

const volatile struct memstall_config config SEC(".rodata.config") = {};

/*
 * By task id. Programs on sched_switch may not allocate, with the run queue locked, as task storage does;
 * this map's room is there from the start.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MEMSTALL_TASKS);
	__type(key, u32);
	__type(value, struct memstall_task);
} tasks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MEMSTALL_ROWS);
	__type(key, struct memstall_key);
	__type(value, struct memstall_counters);
} rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MEMSTALL_CPUS);
	__type(key, u32);
	__type(value, struct memstall_cpu);
} cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MEMSTALL_CGROUPS);
	__type(key, u64);
	__type(value, struct memstall_cgroup);
} cgroups SEC(".maps");

/* By cause, MEMSTALL_SLOTS each. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MEMSTALL_CAUSES *MEMSTALL_SLOTS);
	__type(key, u32);
	__type(value, u64);
} slots SEC(".maps");

/* The number of the interval, which user space advances. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} interval SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

/* What is too large for a program's stack. */
struct memstall_scratch {
	struct memstall_task task;
	struct memstall_cgroup path;
	struct memstall_counters counters;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct memstall_scratch);
} scratch SEC(".maps");

static __always_inline struct memstall_scratch *own_scratch(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&scratch, &zero);
}

/* A memory cgroup's id, and its path kept the first time it is met. */
static __noinline u64 cgroup_of(struct mem_cgroup *memcg)
{
	u64 id = memcg ? BPF_CORE_READ(memcg, css.cgroup, kn, id) : 0;
	struct memstall_scratch *own = own_scratch();

	if (!id || !own || bpf_map_lookup_elem(&cgroups, &id))
		return id;
	own->path.length = memcg_path(memcg, own->path.names, sizeof(own->path.names));
	if (bpf_map_update_elem(&cgroups, &id, &own->path, BPF_ANY))
		lost(LOSS_MAP_FULL);
	return id;
}

#endif
