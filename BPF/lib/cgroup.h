/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The memory cgroup of a task, its limits and its path, for cgroup v1 and v2. */
#ifndef SWIFTMEM_CGROUP_H
#define SWIFTMEM_CGROUP_H

#include "vmlinux/cgroup.h"
#include "vmlinux/compat.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* Deeper cgroups exist, but not on a machine anybody has shown. */
#define CGROUP_DEPTH 24
#define CGROUP_NAME 128

static __always_inline struct mem_cgroup *memcg_of(struct task_struct *task)
{
	struct css_set *cgroups = BPF_CORE_READ(task, cgroups);
	struct cgroup_subsys_state *css = NULL;
	/* the index depends on the kernel's configuration */
	int memory = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);

	if (!cgroups)
		return NULL;
	bpf_core_read(&css, sizeof(css), &cgroups->subsys[memory]);
	return (struct mem_cgroup *)css; /* css is the first member */
}

static __always_inline struct kernfs_node *kernfs_parent(struct kernfs_node *kn)
{
	struct kernfs_node___rcu *rcu = (void *)kn;

	if (bpf_core_field_exists(rcu->__parent))
		return BPF_CORE_READ(rcu, __parent);
	return BPF_CORE_READ(kn, parent);
}

/*
 * The id of the current task's cgroup v2 at a level, its own or one above it; 0 for
 * none. The helper is not for programs of probes before 5.15 (95b861a7935b).
 */
static __always_inline u64 cgroup_id_at(u32 level)
{
	struct cgroup___ancestor_ids *ids = NULL;
	u64 id = 0;

	if (!bpf_core_field_exists(ids->ancestor_ids))
		return bpf_get_current_ancestor_cgroup_id(level);
	struct task_struct *task = (void *)bpf_get_current_task();
	struct cgroup *own = BPF_CORE_READ(task, cgroups, dfl_cgrp);

	if (!own || (int)level > BPF_CORE_READ(own, level))
		return 0;
	ids = (void *)own;
	bpf_probe_read_kernel(&id, sizeof(id), (void *)&ids->ancestor_ids + level * sizeof(id));
	return id;
}

/* Is the cgroup of this kernfs id the one of `kn` or one above it? */
static __always_inline bool kernfs_is_below(struct kernfs_node *kn, u64 id)
{
	for (int i = 0; i < CGROUP_DEPTH && kn; i++) {
		if (BPF_CORE_READ(kn, id) == id)
			return true;
		kn = kernfs_parent(kn);
	}
	return false;
}

/* Is the cgroup of this kernfs id this memory cgroup or one above it? */
static __always_inline bool memcg_is_below(struct mem_cgroup *memcg, u64 id)
{
	return kernfs_is_below(memcg ? BPF_CORE_READ(memcg, css.cgroup, kn) : NULL, id);
}

/* Is the cgroup of this kernfs id the task's cgroup v2 or one above it? */
static __always_inline bool default_cgroup_is_below(struct task_struct *task, u64 id)
{
	struct css_set *set = BPF_CORE_READ(task, cgroups);

	return kernfs_is_below(set ? BPF_CORE_READ(set, dfl_cgrp, kn) : NULL, id);
}

/*
 * The names on the way from a memory cgroup to the root, leaf first, each with
 * its NUL; user space turns them round. Returns the bytes used; a path that
 * does not fit ends with an empty name.
 */
static __always_inline u32 memcg_path(struct mem_cgroup *memcg, char *path, u32 size)
{
	struct kernfs_node *kn = memcg ? BPF_CORE_READ(memcg, css.cgroup, kn) : NULL;
	u32 used = 0;

	for (int i = 0; i < CGROUP_DEPTH && kn; i++) {
		struct kernfs_node *parent = kernfs_parent(kn);

		if (!parent) /* the root's name is empty */
			break;
		if (used > size - CGROUP_NAME)
			break;
		long n = bpf_probe_read_kernel_str(path + used, CGROUP_NAME, BPF_CORE_READ(kn, name));
		if (n <= 0 || n > CGROUP_NAME)
			break;
		used += n;
		kn = parent;
	}
	return used;
}

#endif
