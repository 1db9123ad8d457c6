/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The life of the traced processes: their children by fork, a new program by exec, their end. */
#ifndef SWIFTMEM_MEMLEAK_PROCESSES_H
#define SWIFTMEM_MEMLEAK_PROCESSES_H

#include "vmlinux/core.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/loss.h"
#include "lib/twice.h"
#include "memleak/events.h"
#include "unwind/process.h"

TWICE("raw_tp/sched_process_fork", process_fork, rawtp)
{
	struct task_struct *parent = (void *)ctx[0], *child = (void *)ctx[1];
	u32 from = BPF_CORE_READ(parent, tgid), pid = BPF_CORE_READ(child, tgid);

	if (pid != (u32)BPF_CORE_READ(child, pid))
		return 0; /* a thread */
	if (!is_chosen(from))
		return 0;
	if (!config.by_cgroup && !(config.follow && list_process(pid)))
		return 0;
	unwind_forked(from, pid);
	send_change(PROCESS_FORKED, pid, from, 0);
	return 0;
}

TWICE("raw_tp/sched_process_exec", process_exec, rawtp)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u64 id = bpf_get_current_pid_tgid();
	u32 pid = id >> 32;
	struct thread *thread = thread_of((u32)id, false);

	if (thread) {
		thread->sp = 0;
		thread->mark_sp = 0;
	}
	unwind_execed(pid, thread ? &thread->captured : NULL);
	if (is_chosen(pid))
		send_change(PROCESS_EXECED, pid, 0, is_narrow(BPF_CORE_READ(task, mm)));
	return 0;
}

TWICE("raw_tp/sched_process_exit", process_exit, rawtp)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u64 id = bpf_get_current_pid_tgid();
	u32 tid = id, pid = id >> 32;

	if (!config.task_storage)
		bpf_map_delete_elem(&threads_by_tid, &tid);
	if (!is_last_thread(task))
		return 0;
	if (is_chosen(pid))
		send_change(PROCESS_EXITED, pid, 0, 0);
	/* its number may be another's soon */
	if (!config.by_cgroup)
		bpf_map_delete_elem(&processes, &pid);
	return 0;
}

#endif
