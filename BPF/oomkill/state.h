/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the programs keep: the OOM that a task is in, the victims whose memory is not back yet, the records. */
#ifndef SWIFTMEM_OOMKILL_STATE_H
#define SWIFTMEM_OOMKILL_STATE_H

#include "vmlinux/mm.h"
#include <bpf/bpf_helpers.h>
#include "lib/loss.h"
#include "oomkill.h"

const volatile struct oomkill_config config SEC(".rodata.config") = {};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

/*
 * What an oom_control says. Not a copy of the kernel's struct: accesses to that
 * one are relocated to the kernel's layout, wherever it lies.
 */
struct oom_context {
	struct mem_cgroup *memcg; /* NULL: the whole machine is out of memory */
	struct task_struct *chosen;
	u64 totalpages;
	u32 gfp_mask;
	s32 order;
	u32 constraint;
	u32 padding;
};

/* The OOM that a task is in, by its tid. */
struct oom {
	u64 kill_id;
	struct oom_context oc;
	struct oom_control *oc_address; /* NULL: oc holds nothing */
	struct mm_struct *victim_mm;
	u32 signalled_pid;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, struct oom);
} ooms SEC(".maps");

/* Victims whose memory is not back yet, by process. */
struct dying {
	u64 kill_id;
	u64 killed_ns;
	u64 pages;
	struct mm_struct *mm;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, struct dying);
} victims SEC(".maps");

static __always_inline struct oom *current_oom(void)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct oom *oom = bpf_map_lookup_elem(&ooms, &tid);

	if (oom)
		return oom;
	struct oom fresh = {};

	if (bpf_map_update_elem(&ooms, &tid, &fresh, BPF_ANY))
		lost(LOSS_MAP_FULL);
	return bpf_map_lookup_elem(&ooms, &tid);
}

static __always_inline u64 new_kill_id(void)
{
	return bpf_ktime_get_ns();
}

#endif
