/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which tasks a program looks at. It lies in read-only data, which the kernel
 * freezes before it verifies: a filter that is not used is dead code there.
 */
#ifndef SWIFTMEM_FILTER_H
#define SWIFTMEM_FILTER_H

#include "vmlinux/core.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "cgroup.h"
#include "filter_config.h"

const volatile struct filter_config filter SEC(".rodata.filter") = {};

static __always_inline bool is_filters_comm(const char comm[16])
{
	for (int i = 0; i < 16; i++) {
		if (comm[i] != filter.comm[i])
			return false;
		if (!comm[i])
			break;
	}
	return true;
}

/* Is the current task one the user asked for? */
static __always_inline bool filtered_in(void)
{
	if (filter.flags == 0)
		return true;
	u64 id = bpf_get_current_pid_tgid();

	if ((filter.flags & FILTER_PID) && (u32)(id >> 32) != filter.pid)
		return false;
	if ((filter.flags & FILTER_TID) && (u32)id != filter.tid)
		return false;
	if (filter.flags & FILTER_COMM) {
		char comm[16] = {};

		bpf_get_current_comm(comm, sizeof(comm));
		if (!is_filters_comm(comm))
			return false;
	}
	if (filter.flags & FILTER_CGROUP2)
		/* the task's own cgroup or any above it, at the level asked for */
		return cgroup_id_at(filter.cgroup_level) == filter.cgroup_id;
	if (filter.flags & FILTER_CGROUP1) {
		struct task_struct *task = (void *)bpf_get_current_task();

		return memcg_is_below(memcg_of(task), filter.cgroup_id);
	}
	return true;
}

#endif
