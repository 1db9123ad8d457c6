/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What memory each process has: a record a process, for whoever reads the iterator over tasks. It is what
 * oom_badness() (mm/oom_kill.c) weighs, and more.
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
	mm_rss(mm, pages);
	p.pid = task->tgid;
	p.oom_score_adj = BPF_CORE_READ(task, signal, oom_score_adj);
	p.start_ns = task->start_boottime;
	p.anon_pages = pages[MM_ANONPAGES];
	p.file_pages = pages[MM_FILEPAGES];
	p.shmem_pages = pages[MM_SHMEMPAGES];
	p.swap_pages = pages[MM_SWAPENTS];
	p.pgtables_bytes = BPF_CORE_READ(mm, pgtables_bytes.counter);
	struct mem_cgroup *memcg = memcg_of(task);

	p.cgroup_id = memcg ? BPF_CORE_READ(memcg, css.cgroup, kn, id) : 0;
	p.page_bytes = PAGE_SIZE;
	p.uid = BPF_CORE_READ(task, real_cred, euid.val);
	p.threads = BPF_CORE_READ(task, signal, nr_threads);
	BPF_CORE_READ_STR_INTO(&p.comm, task, comm);
	bpf_seq_write(ctx->meta->seq, &p, sizeof(p));
	return 0;
}

#endif
