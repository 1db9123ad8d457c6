/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The command line of every process, kept from its exec on: when a process is
 * killed its own copy may be swapped out or already gone. User space fills in
 * the processes that were there before.
 */
#ifndef SWIFTMEM_CMDLINE_H
#define SWIFTMEM_CMDLINE_H

#include "vmlinux/mm.h"
#include "lib/unpreempted.h"
#include "loss.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "oomkill.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, CMDLINE_PROCESSES);
	__type(key, u32);
	__type(value, struct cmdline);
} cmdlines SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct cmdline);
} cmdline_scratch SEC(".maps");

/* exec_binprm(): the new image is in place, its arguments were just written. */
SEC("tp_btf/sched_process_exec")
int UNPREEMPTED(cmdline_exec_btf, struct task_struct *task)
{
	u32 zero = 0, tgid = task->tgid;
	struct cmdline *line = bpf_map_lookup_elem(&cmdline_scratch, &zero);

	if (!line || !task->mm)
		return 0;
	unsigned long start = task->mm->arg_start;
	unsigned long size = task->mm->arg_end - start;

	if (size > CMDLINE_BYTES)
		size = CMDLINE_BYTES;
	line->length = size;
	/* a constant size first: 5.10's verifier does not track the bound through the subtraction */
	if (bpf_probe_read_user(line->bytes, CMDLINE_BYTES, (void *)start) &&
	    bpf_probe_read_user(line->bytes, size & (2 * CMDLINE_BYTES - 1), (void *)start))
		return 0;
	if (bpf_map_update_elem(&cmdlines, &tgid, line, BPF_ANY))
		lost(LOSS_MAP_FULL);
	return 0;
}

/* A forked process has its parent's command line until it execs. */
SEC("tp_btf/sched_process_fork")
int UNPREEMPTED(cmdline_fork_btf, struct task_struct *parent, struct task_struct *child)
{
	u32 from = parent->tgid, to = child->tgid;

	if (from == to) /* a thread */
		return 0;
	struct cmdline *line = bpf_map_lookup_elem(&cmdlines, &from);

	if (line && bpf_map_update_elem(&cmdlines, &to, line, BPF_ANY))
		lost(LOSS_MAP_FULL);
	return 0;
}

/* A process's command line, at most CMDLINE_BYTES; returns how many. */
static __always_inline u32 copy_cmdline(u32 pid, char *to)
{
	struct cmdline *line = bpf_map_lookup_elem(&cmdlines, &pid);

	if (!line)
		return 0;
	bpf_probe_read_kernel(to, CMDLINE_BYTES, line->bytes);
	return line->length;
}

#endif
