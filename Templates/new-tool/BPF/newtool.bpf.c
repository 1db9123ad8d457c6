/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * newtool: the tasks (processes and threads) that each process starts.
 *
 * kernel_clone() (kernel/fork.c), in the task that calls fork(), vfork() or clone():
 *   copy_process()                      the new task
 *   trace_sched_process_fork(current)   sched:sched_process_fork  -> counted
 *   wake_up_new_task()
 */
#include "vmlinux/core.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/filter.h"
#include "lib/loss.h"
#include "newtool.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, NEWTOOL_PROCESSES);
	__type(key, struct newtool_key);
	__type(value, struct newtool_counters);
} processes SEC(".maps");

/* The current process's counters on this CPU; NULL where there is no room for another process. */
static __always_inline struct newtool_counters *current_process(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct newtool_key key = {};

	key.pid = bpf_get_current_pid_tgid() >> 32;
	key.start_ns = BPF_CORE_READ(leader, start_boottime);
	struct newtool_counters *c = bpf_map_lookup_elem(&processes, &key);

	if (!c) {
		struct newtool_counters none = {};

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

static __always_inline int task_started(bool is_thread)
{
	if (!filtered_in())
		return 0;
	struct newtool_counters *c = current_process();

	if (!c)
		return 0;
	c->tasks += 1;
	c->threads += is_thread;
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(task_start_btf, struct task_struct *parent, struct task_struct *child)
{
	return task_started(child->tgid == parent->tgid);
}

/* The same arguments, as plain words: no type says that they may be followed. */
SEC("raw_tp/sched_process_fork")
int BPF_PROG(task_start_rawtp, struct task_struct *parent, struct task_struct *child)
{
	return task_started(BPF_CORE_READ(child, tgid) == BPF_CORE_READ(parent, tgid));
}

/* The record names the child by the id of its task alone: a thread looks like a process. */
SEC("tracepoint/sched/sched_process_fork")
int task_start_tp(void *ctx)
{
	return task_started(false);
}
