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

/* The same of each cgroup that tasks which stall are in. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MEMSTALL_GROUP_CPUS);
	__type(key, struct memstall_group_cpu);
	__type(value, struct memstall_cpu);
} group_cpus SEC(".maps");

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

/* enum memstall_setting; user space sets them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MEMSTALL_SETTINGS);
	__type(key, u32);
	__type(value, u32);
} settings SEC(".maps");

#ifdef MEMSTALL_STACKS
#include "lib/processes.h" /* its ring, of processes' changes */
#else
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");
#endif

/*
 * What a map's new entry begins as: zeros, never written. Programs of functions, and since 7.0 of tracepoints, may be
 * preempted: so entries are filled in where they lie, not in a place of the CPU's.
 */
union memstall_blank {
	struct memstall_task task;
	struct memstall_counters counters;
	struct memstall_cgroup path;
	struct memstall_cpu cpu;
	struct memstall_shrinker shrinker;
	struct memstall_eviction eviction;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, union memstall_blank);
} blanks SEC(".maps");

static __always_inline union memstall_blank *blank(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&blanks, &zero);
}

static __always_inline u32 setting(u32 which)
{
	u32 *value = bpf_map_lookup_elem(&settings, &which);

	return value ? *value : 0;
}

/* A memory cgroup's id, and its path kept the first time it is met. */
static __noinline u64 cgroup_of(struct mem_cgroup *memcg)
{
	u64 id = memcg ? BPF_CORE_READ(memcg, css.cgroup, kn, id) : 0;
	union memstall_blank *zeros = blank();

	if (!id || !zeros || bpf_map_lookup_elem(&cgroups, &id))
		return id;
	/* another may be first */
	bpf_map_update_elem(&cgroups, &id, &zeros->path, BPF_NOEXIST);
	struct memstall_cgroup *path = bpf_map_lookup_elem(&cgroups, &id);

	if (!path)
		lost(LOSS_MAP_FULL);
	else if (!path->ready) {
		path->address = (u64)BPF_CORE_READ(memcg, css.cgroup);
		path->length = memcg_path(memcg, path->names, sizeof(path->names));
		path->ready = 1;
	}
	return id;
}

#endif
