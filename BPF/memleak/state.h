/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the programs keep: the blocks that are not freed, and what each thread is in the middle of. */
#ifndef SWIFTMEM_MEMLEAK_STATE_H
#define SWIFTMEM_MEMLEAK_STATE_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "lib/filter.h"
#include "lib/processes.h"
#include "memleak.h"
#include "unwind/state.h"

const volatile struct memleak_config config SEC(".rodata.config") = {};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct memleak_key);
	__type(value, struct memleak_block);
} blocks SEC(".maps");

/* The blocks' sum by process and stack: outstanding where user space does not add them up, else ever made. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct memleak_total_key);
	__type(value, struct memleak_total);
} totals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct memleak_counters);
} counters SEC(".maps");

enum thread_flag {
	RECORD = 1, /* what the call in flight gives is to be recorded */
	HAS_OLD = 2, /* `old` was taken out of `blocks` */
};

/* What a thread is in the middle of. */
struct thread {
	u64 sp; /* of the outermost call in flight; 0: none */
	u64 ip; /* the probed instruction it came through */
	u32 op;
	u32 flags;
	u64 size;
	u64 address; /* the old block or range, or where posix_memalign puts its result */
	u64 new_length;
	u64 map_flags;
	u64 enter_ns;
	u64 stack;
	struct memleak_block old;
	/* the last call that was left to itself: a free, or one not sampled */
	u64 mark_sp;
	u64 mark_return;
	u64 mark_ip;
	u64 freed; /* the block of that free */
	/* an operator new on its way to malloc */
	u64 outer_sp;
	u64 outer_return;
	u64 outer_stack;
	u64 kept; /* the stack last put into the table */
	u64 seen; /* not a fresh state */
	struct stack_state captured;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
} threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct thread);
} threads_by_tid SEC(".maps");

/* The state of a thread that has none yet: larger than a program's own stack. */
static const struct thread fresh_thread;

static __always_inline struct thread *thread_of(u32 tid, bool create)
{
	if (config.task_storage)
		return bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL,
					    create ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	struct thread *thread = bpf_map_lookup_elem(&threads_by_tid, &tid);

	if (thread || !create)
		return thread;
	bpf_map_update_elem(&threads_by_tid, &tid, &fresh_thread, BPF_NOEXIST);
	return bpf_map_lookup_elem(&threads_by_tid, &tid);
}

/* Where lib/stack.h and unwind/walk.h find this thread's state. */
#define STACK_STATE() thread_state()

static __always_inline struct stack_state *thread_state(void)
{
	struct thread *thread = thread_of((u32)bpf_get_current_pid_tgid(), false);

	return thread ? &thread->captured : NULL;
}

static __always_inline struct memleak_counters *count(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

/* Atomic though per CPU: programs of user probes are preempted. */
#define COUNT(name) \
	do { \
		struct memleak_counters *all = count(); \
		if (all) \
			__atomic_fetch_add(&all->name, 1, __ATOMIC_RELAXED); \
	} while (0)

/* Is it one of the processes asked for? */
static __always_inline bool is_chosen(u32 pid)
{
	return config.by_cgroup ? filtered_in() : is_listed(pid);
}

static __always_inline bool traced(u32 pid)
{
	if (config.by_cgroup)
		return filtered_in();
	return !config.chosen_only || is_listed(pid);
}

#endif
