/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What growth's programs keep: address spaces, and what each thread is in the middle of. */
#ifndef SWIFTMEM_GROWTH_STATE_H
#define SWIFTMEM_GROWTH_STATE_H

#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/filter.h"
#include "lib/loss.h"
#include "lib/percpu.h"
#include "lib/processes.h"
#include "growth.h"
#include "unwind/state.h"

const volatile struct growth_config config SEC(".rodata.config") = {};

/* Address spaces that are traced, by the address of their mm_struct. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, struct growth_space);
} spaces SEC(".maps");

/* Address spaces that have ended. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct growth_space_key);
	__type(value, struct growth_space);
} ended SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct growth_counters);
} counters SEC(".maps");

/* A thread: its latest fault, the site that it was counted for, its stack. */
struct thread {
	u64 address; /* of the latest fault */
	u64 start_ns; /* when it began; 0: a change outside of faults came after it */
	u64 end_ns; /* when it last changed a counter */
	u64 faults; /* of the task at its start: it is over once there are more */
	u64 majors; /* of the task, when last looked at */
	u64 ip, sp; /* where it happened */
	struct growth_site_key site; /* what it was counted for */
	u32 counted; /* it was counted for a site */
	u32 padding;
	u64 kept; /* the stack last put into the table */
	struct stack_state captured;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
} threads SEC(".maps");

static __always_inline struct thread *thread_of_current(bool create)
{
	return bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL,
				    create ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
}

/* Where unwind/walk.h finds this thread's state. */
#define STACK_STATE() thread_state()

static __always_inline struct stack_state *thread_state(void)
{
	struct thread *thread = thread_of_current(false);

	return thread ? &thread->captured : NULL;
}

static __always_inline void add(s64 *sum, s64 pages)
{
	__atomic_fetch_add(sum, pages, __ATOMIC_RELAXED);
}

static __always_inline struct growth_space *space_of(struct mm_struct *mm)
{
	u64 key = address_of(mm);

	return bpf_map_lookup_elem(&spaces, &key);
}

#endif
