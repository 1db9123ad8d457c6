/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Control groups: a task's set of them, memory's, and the directory behind each. core.h says how to declare. */
#ifndef SWIFTMEM_VMLINUX_CGROUP_H
#define SWIFTMEM_VMLINUX_CGROUP_H

#include "vmlinux/core.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/linux/psi_types.h */
struct psi_group_cpu {
	u32 times[1]; /* as many as there are states */
	u32 times_prev[1]; /* those of PSI_AVGS first */
};

struct psi_group {
	struct psi_group_cpu *pcpu; /* per CPU */
};

/* include/linux/kernfs.h */
struct kernfs_node {
	const char *name;
	struct kernfs_node *parent; /* compat.h has its name since 6.15 */
	u64 id;
};

/* include/linux/cgroup-defs.h */
struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct psi_group *psi; /* compat.h has it until 5.19 */
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct css_set {
	struct cgroup_subsys_state *subsys[16];
	struct cgroup *dfl_cgrp;
};

/* include/linux/page_counter.h */
struct page_counter {
	atomic_long_t usage;
	unsigned long max, high;
};

/* include/linux/memcontrol.h */
struct mem_cgroup {
	struct cgroup_subsys_state css;
	struct page_counter memory;
};

#pragma clang attribute pop

/* include/linux/cgroup-defs.h; the value depends on the kernel's configuration */
enum cgroup_subsys_id {
	memory_cgrp_id,
};

/* include/linux/psi_types.h; the value depends on the kernel */
enum psi_states {
	PSI_NONIDLE,
};

#endif
