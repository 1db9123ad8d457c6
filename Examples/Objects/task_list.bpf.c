/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* All processes, a line of text each: the kernel runs the program once for every task. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct seq_file;

struct task_struct {
	int pid, tgid;
	char comm[16];
} __attribute__((preserve_access_index));

struct bpf_iter_meta {
	struct seq_file *seq;
} __attribute__((preserve_access_index));

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} __attribute__((preserve_access_index));

SEC("iter/task")
int list_task(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;

	/* a last call without a task says that there are no more; of a process's threads the first has its id */
	if (task && task->pid == task->tgid)
		BPF_SEQ_PRINTF(context->meta->seq, "%d %s\n", task->tgid, task->comm);
	return 0;
}
