/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * cachestat: the page cache's accesses, insertions and dirtied pages, by
 * tracepoints alone (Linux 6.12 and newer).
 *
 * mm/filemap.c, in the task that reads:
 *   filemap_read() / filemap_splice_read()
 *     filemap_get_pages()              once per batch of folios
 *       (insertions by readahead)      mm_filemap_add_to_page_cache, each folio
 *                                      mm_filemap_get_pages, at its end
 * in the task that writes:
 *   write_begin: __filemap_get_folio() mm_filemap_add_to_page_cache, if it's new
 *   write_end: folio_mark_dirty()      writeback_dirty_folio, if it was clean
 * in the task that touches a mapping:
 *   filemap_map_pages()                kmem:rss_stat, by as many as it mapped
 *   filemap_fault(), finish_fault()    mm_filemap_fault, then kmem:rss_stat
 */
#include "include/kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "include/filter.h"
#include "include/folio.h"
#include "include/loss.h"
#include "include/mapped.h"
#include "cachestat.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct cachestat_counters);
} counters SEC(".maps");

/* What a task is in the middle of. */
struct request {
	u64 mapping; /* the read that the last batch belonged to */
	u64 last;
	u64 index;
	u64 syscalls;	  /* read system calls done before it */
	u64 inserted;	  /* the folio this task inserted last, if nothing dirtied it yet */
	u32 inserted_pages;
	u32 fault_open;	  /* a fault asked for a page and has not mapped it yet */
	u64 fault_mapping;
	u64 fault_index;
	u64 device;	  /* pages inserted for a mapping that is no regular file's */
	u64 device_pages;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct request);
} requests SEC(".maps");

static __always_inline struct cachestat_counters *count(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

static __always_inline struct request *current_request(void)
{
	struct request *r = bpf_task_storage_get(&requests, bpf_get_current_task_btf(), NULL,
						 BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!r)
		lost(LOSS_TASK_STATE);
	return r;
}

/*
 * The tracepoint names the range that is still to be read, once per batch: a
 * batch that goes on with the request before it adds nothing. The number of
 * read calls done so far tells it from a new request that ends at the same page.
 */
SEC("tp_btf/mm_filemap_get_pages")
int BPF_PROG(read_access, struct address_space *mapping, unsigned long index, unsigned long last)
{
	if (!filtered_in())
		return 0;
	struct request *r = current_request();
	struct cachestat_counters *c = count();

	if (!r || !c)
		return 0;
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	u64 syscalls = bpf_core_field_exists(task->ioac.syscr) ? task->ioac.syscr : 0;
	u64 key = address_of(mapping);

	/* a device's pages are metadata unless somebody reads the device itself */
	if (r->device_pages && r->device == key)
		c->inserted_pages += r->device_pages;
	r->device_pages = 0;

	bool more = r->mapping == key && r->last == last && r->index < index &&
		    r->syscalls == syscalls;

	r->mapping = key;
	r->last = last;
	r->index = index;
	r->syscalls = syscalls;
	if (more)
		return 0;
	s64 size = BPF_CORE_READ(mapping, host, i_size);

	if (size <= 0)
		return 0;
	u64 end = (u64)(size - 1) >> PAGE_SHIFT;

	if (last < end)
		end = last;
	if (end >= index)
		c->read_access_pages += end - index + 1;
	return 0;
}

SEC("tp_btf/mm_filemap_add_to_page_cache")
int BPF_PROG(inserted, struct folio *folio)
{
	if (!filtered_in())
		return 0;
	struct request *r = current_request();
	struct cachestat_counters *c = count();

	if (!r || !c)
		return 0;
	u32 pages = folio_pages(folio);
	struct address_space *mapping = BPF_CORE_READ(folio, mapping);

	if ((BPF_CORE_READ(mapping, host, i_mode) & S_IFMT) != S_IFREG) {
		u64 key = address_of(mapping);

		if (r->device != key)
			r->device_pages = 0;
		r->device = key;
		r->device_pages += pages;
		return 0;
	}
	c->inserted_pages += pages;
	r->inserted = address_of(folio);
	r->inserted_pages = pages;
	return 0;
}

SEC("tp_btf/writeback_dirty_folio")
int BPF_PROG(dirtied, struct folio *folio)
{
	if (!filtered_in())
		return 0;
	struct request *r = current_request();
	struct cachestat_counters *c = count();

	if (!r || !c)
		return 0;
	c->dirtied_pages += folio_pages(folio);
	/* created by the write that dirties it now: it was not read */
	if (r->inserted == address_of(folio)) {
		c->write_alloc_pages += r->inserted_pages;
		r->inserted = 0;
	}
	return 0;
}

/* A fault whose page the fault-around did not find; it is counted when it is mapped. */
SEC("tp_btf/mm_filemap_fault")
int BPF_PROG(fault, struct address_space *mapping, unsigned long index)
{
	if (!filtered_in())
		return 0;
	struct request *r = current_request();
	struct cachestat_counters *c = count();

	if (!r || !c)
		return 0;
	u64 key = address_of(mapping);
	bool retry = r->fault_open && r->fault_mapping == key && r->fault_index == index;

	/* the fault before it mapped nothing: a private page was copied */
	if (r->fault_open && !retry)
		c->fault_access_pages += 1;
	r->fault_open = 1;
	r->fault_mapping = key;
	r->fault_index = index;
	return 0;
}

SEC("tp_btf/rss_stat")
int BPF_PROG(mapped, struct mm_struct *mm, int member)
{
	if (member != MM_FILEPAGES)
		return 0;
	s64 change = mapped_change(mm);

	if (change <= 0 || !filtered_in())
		return 0;
	struct cachestat_counters *c = count();
	struct request *r = current_request();

	if (c)
		c->fault_access_pages += change;
	if (r)
		r->fault_open = 0;
	return 0;
}

/* begin_new_exec() names the task when its new address space is in place and empty. */
SEC("tp_btf/task_rename")
int BPF_PROG(mm_by_exec, struct task_struct *task)
{
	struct mm_struct *mm = task->mm;

	if (mm)
		mapped_born(mm);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(mm_by_fork, struct task_struct *parent, struct task_struct *child)
{
	struct mm_struct *mm = child->mm;

	if (mm && mm != parent->mm)
		mapped_born(mm);
	return 0;
}

SEC("iter/task")
int mm_at_start(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task && task->pid == task->tgid && task->mm)
		mapped_seed(task->mm);
	return 0;
}

SEC("tp_btf/exit_mmap")
int BPF_PROG(mm_gone, struct mm_struct *mm)
{
	mapped_gone(mm);
	return 0;
}
