/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Read-only data of every program that filters by task; see BPF/lib/filter.h. */
#ifndef SWIFTMEM_FILTER_CONFIG_H
#define SWIFTMEM_FILTER_CONFIG_H

#include <linux/types.h>

enum filter_flag {
	FILTER_PID = 1,
	FILTER_TID = 2,
	FILTER_COMM = 4,
	FILTER_CGROUP2 = 8, /* cgroup_id is of the unified hierarchy, at cgroup_level */
	FILTER_CGROUP1 = 16, /* cgroup_id is of the v1 memory hierarchy */
};

struct filter_config {
	__u32 flags;
	__u32 pid;
	__u32 tid;
	__u32 cgroup_level;
	__u64 cgroup_id;
	char comm[16];
};

_Static_assert(sizeof(struct filter_config) == 40, "filter_config is shared with Swift");

#endif
