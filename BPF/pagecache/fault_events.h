/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Pages that page faults map, by tracepoints (Linux 6.12). mm/filemap.c:
 *   filemap_map_pages()                kmem:rss_stat, by as many as it mapped
 *                                      mm_filemap_map_pages, the window it looked at
 *   filemap_fault(), finish_fault()    mm_filemap_fault, then rss_stat as above
 * No tracepoint says how many pages a fault mapped: following the counter of file
 * pages does (lib/rss_follow.h).
 */
#ifndef SWIFTMEM_PAGECACHE_FAULT_EVENTS_H
#define SWIFTMEM_PAGECACHE_FAULT_EVENTS_H

#include "lib/twice.h"
#include "lib/unpreempted.h"
#include "pagecache/accounting.h"
#define RSS_FOLLOWED MM_FILEPAGES
#include "lib/rss_follow.h"

/* A fault whose page the fault-around did not find; it is counted when it is mapped. */
TWICE("tp_btf/mm_filemap_fault", file_fault, btf, struct address_space *mapping, unsigned long index)
{
	if (!filtered_in())
		return 0;
	struct request *r = current_request();

	if (!r)
		return 0;

	r->fault_open = 1;
	r->fault_mapping = address_of(mapping);
	r->fault_index = index;
	return 0;
}

/* Is an address space the current task's? A fork fills its child's without a fault. */
static __always_inline bool is_own(struct mm_struct *mm)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, mm) == mm;
}

/* A write to a private mapping: the file's page was copied to an anonymous one, which counts for its origin. */
static __always_inline int page_copied(struct mm_struct *mm)
{
	struct request *r = filtered_in() ? known_request() : NULL;

	if (!r || !r->fault_open || !is_own(mm))
		return 0;
	r->fault_open = 0;
	struct pagecache_counters *c = counters_of((void *)r->fault_mapping);

	if (c)
		COUNT(c->fault_access_pages, 1);
	return 0;
}

SEC("tp_btf/rss_stat")
int UNPREEMPTED(file_rss_btf, struct mm_struct *mm, int member)
{
	if (member == MM_ANONPAGES)
		return page_copied(mm);
	if (member != MM_FILEPAGES)
		return 0;
	bool wanted = filtered_in(), late = false;
	s64 change = rss_change(mm, wanted, &late);

	if ((change <= 0 && !late) || !is_own(mm) || !wanted)
		return 0;
	struct request *r = current_request();

	if (!r)
		return 0;
	struct address_space *mapping = NULL;

	r->mapped = late ? 0 : change;
	r->mapped_by_fault = r->fault_open;
	if (r->fault_open)
		mapping = (void *)r->fault_mapping;
	else
		r->unnamed = change;
	r->fault_open = 0;

	struct pagecache_counters *c = counters_of(mapping);

	if (c)
		COUNT(c->fault_access_pages, change);
	return 0;
}

#ifdef PAGECACHE_BY_FILE
/* For tools that count by file: behind the mapping of a window, its file's name. */
TWICE("tp_btf/mm_filemap_map_pages", map_window, btf, struct address_space *mapping)
{
	if (!filtered_in())
		return 0;
	struct request *r = known_request();

	if (!r || !r->unnamed)
		return 0;
	s64 pages = r->unnamed;
	struct pagecache_counters *from = counters_of(NULL);

	r->unnamed = 0;
	if (from)
		COUNT(from->fault_access_pages, -pages);

	struct pagecache_counters *c = counters_of(mapping);

	if (c)
		COUNT(c->fault_access_pages, pages);
	return 0;
}
#endif

/* begin_new_exec() names the task when its new address space is in place and empty. */
SEC("tp_btf/task_rename")
int UNPREEMPTED(mm_exec_btf, struct task_struct *task)
{
	struct mm_struct *mm = task->mm;

	if (mm)
		rss_born(mm);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int UNPREEMPTED(mm_fork_btf, struct task_struct *parent, struct task_struct *child)
{
	struct mm_struct *mm = child->mm;

	if (mm && mm != parent->mm)
		rss_born(mm);
	return 0;
}

SEC("tp_btf/exit_mmap")
int UNPREEMPTED(mm_exit_btf, struct mm_struct *mm)
{
	rss_gone(mm);
	return 0;
}

#endif
