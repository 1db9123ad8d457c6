/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The processes that a tool was asked for, and what user space is told of their lives. */
#ifndef SWIFTMEM_LIB_PROCESSES_H
#define SWIFTMEM_LIB_PROCESSES_H

#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/loss.h"
#include "process_change.h"

/* User space puts in those that it was asked for, programs their children. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, u32);
} processes SEC(".maps");

/* Changes of processes, and the tool's own records. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

static __always_inline bool is_listed(u32 pid)
{
	return bpf_map_lookup_elem(&processes, &pid) != NULL;
}

static __always_inline bool list_process(u32 pid)
{
	u32 one = 1;

	if (bpf_map_update_elem(&processes, &pid, &one, BPF_ANY)) {
		lost(LOSS_MAP_FULL);
		return false;
	}
	return true;
}

/* A program of 32 bits. */
static __always_inline bool is_narrow(struct mm_struct *mm)
{
	return BPF_CORE_READ(mm, task_size) <= 1ULL << 32;
}

/* do_exit() (kernel/exit.c) has taken an exiting task out of the count before its tracepoint. */
static __always_inline bool is_last_thread(struct task_struct *task)
{
	return BPF_CORE_READ(task, signal, live.counter) == 0;
}

static __always_inline void send_change(u32 kind, u32 pid, u32 parent, u32 narrow)
{
	struct process_change *change = bpf_ringbuf_reserve(&events, sizeof(*change), 0);

	if (!change) {
		lost(LOSS_RING_FULL);
		return;
	}
	change->kind = kind;
	change->pid = pid;
	change->parent = parent;
	change->narrow = narrow;
	change->time_ns = bpf_ktime_get_ns();
	bpf_get_current_comm(change->comm, sizeof(change->comm));
	bpf_ringbuf_submit(change, 0);
}

#endif
