/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Counters by process, a part for each CPU.
 *
 * Before this header the tool defines PROCESS_KEY (pid and start_ns of a process), PROCESS_COUNTERS (with seen_ns and
 * comm), and PROCESSES, how many there is room for.
 */
#ifndef SWIFTMEM_PROCESS_H
#define SWIFTMEM_PROCESS_H

#include "vmlinux/core.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/loss.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, PROCESSES);
	__type(key, PROCESS_KEY);
	__type(value, PROCESS_COUNTERS);
} processes SEC(".maps");

/* A process's counters on this CPU, by its leader; NULL where there is no room for another process. */
static __always_inline PROCESS_COUNTERS *counters_of_process(struct task_struct *leader)
{
	PROCESS_KEY key = {};

	key.pid = BPF_CORE_READ(leader, tgid);
	key.start_ns = BPF_CORE_READ(leader, start_boottime);
	PROCESS_COUNTERS *c = bpf_map_lookup_elem(&processes, &key);

	if (!c) {
		PROCESS_COUNTERS none = {};

		bpf_map_update_elem(&processes, &key, &none, BPF_NOEXIST);
		c = bpf_map_lookup_elem(&processes, &key);
	}
	if (!c) {
		lost(LOSS_MAP_FULL);
		return NULL;
	}
	c->seen_ns = bpf_ktime_get_ns();
	/* the process's name is its leader's; a thread may have another */
	bpf_core_read_str(c->comm, sizeof(c->comm), &leader->comm);
	return c;
}

#endif
