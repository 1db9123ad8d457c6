/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What memory each process has: a record a process, for whoever reads the iterator over tasks. It is what
 * oom_badness() (mm/oom_kill.c) weighs, and more. An iterator's task is known to the verifier: what it leads to is read
 * without helpers, which a walk over thousands would spend most of its time in.
 */
#ifndef SWIFTMEM_WRITE_PROCESS_H
#define SWIFTMEM_WRITE_PROCESS_H

#include "vmlinux/cgroup.h"
#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/cgroup.h"
#include "lib/page.h"
#include "lib/rss.h"
#include "process_memory.h"

static __always_inline int write_process_memory(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct process_memory p = {};
	u64 pages[MM_COUNTERS] = {};

	if (!task)
		return 0;
	struct mm_struct *mm = task->mm;

	/* kernel threads have no memory of their own; a leader that has exited has let go of its process's */
	if (!mm || task->pid != task->tgid)
		return 0;
	mm_rss_given(mm, pages);
	p.pid = task->tgid;
	p.oom_score_adj = task->signal->oom_score_adj;
	p.start_ns = task->start_boottime;
	p.anon_pages = pages[MM_ANONPAGES];
	p.file_pages = pages[MM_FILEPAGES];
	p.shmem_pages = pages[MM_SHMEMPAGES];
	p.swap_pages = pages[MM_SWAPENTS];
	p.pgtables_bytes = mm->pgtables_bytes.counter;
	struct cgroup_subsys_state *css =
		task->cgroups->subsys[bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id)];

	p.cgroup_id = css ? css->cgroup->kn->id : 0;
	p.page_bytes = PAGE_SIZE;
	p.uid = task->real_cred->euid.val;
	p.threads = task->signal->nr_threads;
	__builtin_memcpy(p.comm, task->comm, sizeof(p.comm));
	bpf_seq_write(ctx->meta->seq, &p, sizeof(p));
	return 0;
}

#endif
