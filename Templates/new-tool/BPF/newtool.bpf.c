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
#include "lib/filter.h"
#include "lib/unpreempted.h"
#include "newtool.h"
#define PROCESS_KEY struct newtool_key
#define PROCESS_COUNTERS struct newtool_counters
#define PROCESSES NEWTOOL_PROCESSES
#include "lib/process.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline int task_started(bool is_thread)
{
	if (!filtered_in())
		return 0;
	struct task_struct *task = (void *)bpf_get_current_task();
	struct newtool_counters *c = counters_of_process(BPF_CORE_READ(task, group_leader));

	if (!c)
		return 0;
	c->tasks += 1;
	c->threads += is_thread;
	return 0;
}

SEC("tp_btf/sched_process_fork")
int UNPREEMPTED(task_start_btf, struct task_struct *parent, struct task_struct *child)
{
	return task_started(child->tgid == parent->tgid);
}

/* The same arguments, as plain words: no type says that they may be followed. */
SEC("raw_tp/sched_process_fork")
int UNPREEMPTED(task_start_rawtp, struct task_struct *parent, struct task_struct *child)
{
	return task_started(BPF_CORE_READ(child, tgid) == BPF_CORE_READ(parent, tgid));
}

/* The record names the child by the id of its task alone: a thread looks like a process. */
SEC("tracepoint/sched/sched_process_fork")
int task_start_tp(void *ctx)
{
	return task_started(false);
}
