/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The life of the traced processes: their children by fork, a new program by exec, their end. */
#ifndef SWIFTMEM_MEMLEAK_PROCESSES_H
#define SWIFTMEM_MEMLEAK_PROCESSES_H

#include "vmlinux/core.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/loss.h"
#include "memleak/events.h"
#include "unwind/process.h"

SEC("raw_tp/sched_process_fork")
int process_fork_rawtp(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *parent = (void *)ctx->args[0], *child = (void *)ctx->args[1];
	u32 from = BPF_CORE_READ(parent, tgid), pid = BPF_CORE_READ(child, tgid), one = 1;

	if (pid != (u32)BPF_CORE_READ(child, pid))
		return 0; /* a thread */
	if (!is_chosen(from))
		return 0;
	if (!config.by_cgroup) {
		if (!config.follow)
			return 0;
		if (bpf_map_update_elem(&processes, &pid, &one, BPF_ANY)) {
			lost(LOSS_MAP_FULL);
			return 0;
		}
	}
	unwind_forked(from, pid);
	struct memleak_event *event = new_event(MEMLEAK_FORKED);

	if (event) {
		event->parent = from;
		event->pid = pid;
		bpf_ringbuf_submit(event, 0);
	}
	return 0;
}

static __always_inline void send_process(u32 kind, u32 is_narrow)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (!is_chosen(pid))
		return;
	struct memleak_event *event = new_event(kind);

	if (event) {
		event->recorded = is_narrow;
		bpf_ringbuf_submit(event, 0);
	}
}

SEC("raw_tp/sched_process_exec")
int process_exec_rawtp(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u64 id = bpf_get_current_pid_tgid();
	struct thread *thread = thread_of((u32)id, false);

	if (thread) {
		thread->sp = 0;
		thread->mark_sp = 0;
	}
	unwind_execed(id >> 32, thread ? &thread->captured : NULL);
	send_process(MEMLEAK_EXECED, BPF_CORE_READ(task, mm, task_size) <= 1ULL << 32);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int process_exit_rawtp(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u32 tid = bpf_get_current_pid_tgid();

	if (!config.task_storage)
		bpf_map_delete_elem(&threads_by_tid, &tid);
	if (BPF_CORE_READ(task, signal, live.counter) == 0) {
		u32 pid = bpf_get_current_pid_tgid() >> 32;

		send_process(MEMLEAK_EXITED, 0);
		/* its number may be another's soon */
		if (!config.by_cgroup)
			bpf_map_delete_elem(&processes, &pid);
	}
	return 0;
}

#endif
