/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What oom_badness() (mm/oom_kill.c) weighs, of each process: a record a process, for whoever reads the iterator. */
#ifndef SWIFTMEM_OOMKILL_PROCESS_H
#define SWIFTMEM_OOMKILL_PROCESS_H

#include "vmlinux/cgroup.h"
#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/cgroup.h"
#include "lib/page.h"
#include "lib/rss.h"
#include "oomkill.h"

static __always_inline void write_process(struct seq_file *seq, struct task_struct *task)
{
	struct mm_struct *mm = task->mm;
	struct oom_process p = {};
	u64 pages[MM_COUNTERS] = {};

	/* kernel threads have no memory of their own; a leader that has exited has let go of its process's */
	if (!mm || task->pid != task->tgid)
		return;
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
	BPF_CORE_READ_STR_INTO(&p.comm, task, comm);
	bpf_seq_write(seq, &p, sizeof(p));
}

#endif
