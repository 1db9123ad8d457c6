/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * oomkill: one record per killed process, one when its memory is back.
 *
 * mm/oom_kill.c, all in the task that ran out of memory (the trigger):
 *   oom_kill_process(oc, message)           once per OOM          -> oom_context.h
 *     __oom_kill_process(victim)            once per process
 *       do_send_sig_info(SIGKILL, victim)   signal_generate       -> killed
 *       mark_oom_victim(victim)             oom:mark_victim       -> victim.h
 *       SIGKILL to all that share its mm    signal_generate       -> victim.h
 * and later finish_task_reaping(pid) in the reaper, or the victim's own exit: end.h.
 * A daemon that kills before the kernel has to sends SIGTERM or SIGKILL: sent.h.
 * The recorder reads all processes each second, by an iterator: lib/write_process.h.
 */
#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/cmdline.h"
#include "lib/unpreempted.h"
#include "lib/write_process.h"
#include "oomkill/end.h"
#include "oomkill/oom_context.h"
#include "oomkill/sent.h"
#include "oomkill/state.h"
#include "oomkill/victim.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("?fentry/oom_kill_process")
int UNPREEMPTED(oom_begin_fentry, struct oom_control *oc)
{
	return begin_oom(oc);
}

SEC("?kprobe/oom_kill_process")
int BPF_KPROBE(oom_begin_kprobe, struct oom_control *oc)
{
	return begin_oom(oc);
}

/* since 6.10, 72ba14deb40a ("mm: update mark_victim tracepoints fields"); backported to 6.1 */
SEC("tp_btf/mark_victim")
int UNPREEMPTED(oom_victim_btf, struct task_struct *victim)
{
	return report(ctx, victim, 0);
}

SEC("?fentry/mark_oom_victim")
int UNPREEMPTED(oom_victim_fentry, struct task_struct *victim)
{
	return report(ctx, victim, 0);
}

SEC("?kprobe/mark_oom_victim")
int BPF_KPROBE(oom_victim_kprobe, struct task_struct *victim)
{
	return report(ctx, victim, 0);
}

SEC("tp_btf/signal_generate")
int UNPREEMPTED(oom_signal_btf, int sig, void *info, struct task_struct *task)
{
	if (sig != SIGKILL || info != SEND_SIG_PRIV)
		return 0;
	struct oom *oom = current_oom();

	if (!oom)
		return 0;
	struct mm_struct *mm = task->mm;

	/* __oom_kill_process() kills the sharers after it marked the victim */
	if (mm && mm == oom->victim_mm) {
		struct dying *d;
		u32 pid = task->tgid;

		d = bpf_map_lookup_elem(&victims, &pid);
		if (!d || d->mm != mm) {
			oom->signalled_pid = pid;
			return report(ctx, task, OOM_SHARED_MM);
		}
	}
	oom->signalled_pid = task->tgid;
	return 0;
}

/* kernel/signal.c, __send_signal_locked(); result 0: TRACE_SIGNAL_DELIVERED */
SEC("tp_btf/signal_generate")
int UNPREEMPTED(oom_sent_btf, int sig, struct kernel_siginfo *info, struct task_struct *task, int group, int result)
{
	if ((sig != SIGKILL && sig != SIGTERM) || result != 0 || !may_kill_for_memory() || !is_programs(info))
		return 0;
	return report_sent(sig, task);
}

SEC("tp_btf/finish_task_reaping")
int UNPREEMPTED(oom_reaped_btf, int pid)
{
	memory_is_back(pid, true);
	return 0;
}

/* do_exit(): behind exit_mm(), so the last thread's exit finds the memory free. */
SEC("tp_btf/sched_process_exit")
int UNPREEMPTED(oom_exit_btf, struct task_struct *task)
{
	if (BPF_CORE_READ(task, signal, live.counter) != 0)
		return 0;
	u32 pid = task->tgid;

	memory_is_back(pid, false);
	bpf_map_delete_elem(&cmdlines, &pid);
	return 0;
}

SEC("iter/task")
int oom_process_iter(struct bpf_iter__task *ctx)
{
	return write_process_memory(ctx);
}
