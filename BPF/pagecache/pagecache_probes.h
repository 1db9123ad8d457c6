/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The hooks of the page cache's accounting, for the tools' objects to include.
 * A kernel has some of them; the tools' ladders say which go together.
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
 *   filemap_map_pages()                set_pte_range(), each run of pages
 *                                      kmem:rss_stat, by as many as it mapped
 *                                      mm_filemap_map_pages, the window it looked at
 *   filemap_fault(), finish_fault()    mm_filemap_fault, then as above
 */
#ifndef SWIFTMEM_PAGECACHE_PROBES_H
#define SWIFTMEM_PAGECACHE_PROBES_H

#include "pagecache.h"
#include <bpf/bpf_tracing.h>
#include "mapped.h"

/* What a huge page maps at once. */
#define HUGE_PAGES (1 << (21 - PAGE_SHIFT))

/* ---- where a task's state is a hash entry of its own ---- */

SEC("tp_btf/sched_process_exit")
int BPF_PROG(task_exit_btf, struct task_struct *task)
{
	u32 thread = (u32)bpf_get_current_pid_tgid();

	bpf_map_delete_elem(&requests_by_thread, &thread);
	return 0;
}

/* ---- reads, by tracepoint ---- */

/*
 * The tracepoint names the range that is still to be read, once per batch: a
 * batch that goes on with the request before it adds nothing. The number of
 * read calls done so far tells it from a new request that ends at the same page.
 *
 * filemap_get_pages() returns without its tracepoint when the batch's last folio is
 * another task's to fill, so that a call's first pages may go by unseen. How many
 * bytes the call read is known when the task's next call comes.
 */
static __always_inline void settle_call(struct request *r, struct address_space *mapping, u64 syscalls, u64 bytes)
{
	u64 read = (bytes - r->bytes) >> PAGE_SHIFT;

	if (r->mapping == (u64)mapping && r->syscalls + 1 == syscalls && read > r->counted) {
		struct pagecache_counters *c = counters_of(mapping);

		if (c)
			COUNT(c->read_access_pages, read - r->counted);
	}
	r->syscalls = syscalls;
	r->bytes = bytes;
	r->counted = 0;
}

/*
 * Every buffered read comes by here: fields are read by plain loads, which the verifier
 * grants for what a typed tracepoint hands over, and pointers only stored and compared,
 * so that no helper is called for either.
 */
SEC("tp_btf/mm_filemap_get_pages")
int BPF_PROG(read_batch_btf, struct address_space *mapping, unsigned long index, unsigned long last)
{
	if (!filtered_in())
		return 0;
	struct request *r = current_request();
	struct pagecache_counters *c = counters_of(mapping);

	if (!r || !c)
		return 0;
	struct task_struct *task = bpf_get_current_task_btf();
	u64 syscalls = 0;

	if (bpf_core_field_exists(task->ioac.syscr))
		syscalls = task->ioac.syscr;
	claim_runs(c, r, mapping, index, last);

	bool more = r->mapping == (u64)mapping && r->last == last && r->index < index && r->syscalls == syscalls;

	if (bpf_core_field_exists(task->ioac.syscr) && r->syscalls != syscalls)
		settle_call(r, mapping, syscalls, task->ioac.rchar);
	r->mapping = (u64)mapping;
	r->last = last;
	r->index = index;
	if (more)
		return 0;
	s64 size = mapping->host->i_size;

	if (size <= 0)
		return 0;
	u64 end = (u64)(size - 1) >> PAGE_SHIFT;

	if (last < end)
		end = last;
	if (end < index)
		return 0;
	r->counted += end - index + 1;
	COUNT(c->read_access_pages, end - index + 1);
	return 0;
}

/* A task's last call has none after it. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(last_read_btf, struct task_struct *task)
{
	struct request *r = filtered_in() ? known_request() : NULL;

	if (!r || !bpf_core_field_exists(task->ioac.syscr))
		return 0;
	struct address_space *mapping = (void *)r->mapping;

	/* the file may be closed since, and its inode gone */
	if (mapping && BPF_CORE_READ(mapping, host, i_mapping) == mapping)
		settle_call(r, mapping, task->ioac.syscr, task->ioac.rchar);
	return 0;
}

/* ---- reads, by their return: the position is then behind what was read ---- */

/* Plain loads here too. */
static __always_inline void read_returned(struct kiocb *iocb, s64 before, s64 result)
{
	if (!filtered_in() || result <= before)
		return;
	s64 bytes = result - before;

	read_bytes(iocb->ki_filp->f_mapping, iocb->ki_pos - bytes, bytes);
}

/* Linux 5.12 */
SEC("fexit/filemap_read")
int BPF_PROG(read_fexit, struct kiocb *iocb, void *to, s64 before, s64 result)
{
	read_returned(iocb, before, result);
	return 0;
}

/* before that */
SEC("fexit/generic_file_buffered_read")
int BPF_PROG(buffered_read_fexit, struct kiocb *iocb, void *to, s64 before, s64 result)
{
	read_returned(iocb, before, result);
	return 0;
}

/* Linux 6.5; until then splice goes through the function above */
SEC("fexit/filemap_splice_read")
int BPF_PROG(splice_fexit, struct file *file, s64 *position, void *pipe, u64 length, u32 flags, s64 result)
{
	s64 after = 0;

	if (!filtered_in() || result <= 0)
		return 0;
	bpf_probe_read_kernel(&after, sizeof(after), position);
	read_bytes(BPF_CORE_READ(file, f_mapping), after - result, result);
	return 0;
}

/*
 * A kernel has few slots for returns that are waited for (kprobes.rst, maxactive):
 * where many tasks sleep in a read, some returns are not seen. Such a read counts
 * as what it asked for, when its task reads again.
 */
static __always_inline void read_entered(struct address_space *mapping, u64 from, u64 count, u64 before)
{
	struct request *r = current_request();

	if (!r)
		return;
	if (r->read_open) {
		struct address_space *missed = (void *)r->read_mapping;
		s64 size = BPF_CORE_READ(missed, host, i_size);
		s64 left = size - (s64)r->read_from;

		lost(LOSS_RETURN_MISSED);
		read_bytes(missed, r->read_from, left < (s64)r->read_count ? left : (s64)r->read_count);
	}
	r->read_open = 1;
	r->read_mapping = address_of(mapping);
	r->read_from = from;
	r->read_count = count;
	r->read_before = before;
}

static __always_inline void read_left(s64 result)
{
	if (!filtered_in())
		return;
	struct request *r = known_request();

	if (!r || !r->read_open)
		return;
	r->read_open = 0;
	read_bytes((void *)r->read_mapping, r->read_from, result - (s64)r->read_before);
}

SEC("kprobe/filemap_read")
int BPF_KPROBE(read_kprobe, struct kiocb *iocb, struct iov_iter *to, s64 before)
{
	if (filtered_in())
		read_entered(BPF_CORE_READ(iocb, ki_filp, f_mapping), BPF_CORE_READ(iocb, ki_pos),
			     BPF_CORE_READ(to, count), before);
	return 0;
}

SEC("kretprobe/filemap_read")
int BPF_KRETPROBE(read_kretprobe, s64 result)
{
	read_left(result);
	return 0;
}

SEC("kprobe/generic_file_buffered_read")
int BPF_KPROBE(buffered_read_kprobe, struct kiocb *iocb, struct iov_iter *to, s64 before)
{
	if (filtered_in())
		read_entered(BPF_CORE_READ(iocb, ki_filp, f_mapping), BPF_CORE_READ(iocb, ki_pos),
			     BPF_CORE_READ(to, count), before);
	return 0;
}

SEC("kretprobe/generic_file_buffered_read")
int BPF_KRETPROBE(buffered_read_kretprobe, s64 result)
{
	read_left(result);
	return 0;
}

SEC("kprobe/filemap_splice_read")
int BPF_KPROBE(splice_kprobe, struct file *file, s64 *position, void *pipe, u64 length)
{
	s64 from = 0;

	if (!filtered_in())
		return 0;
	bpf_probe_read_kernel(&from, sizeof(from), position);
	read_entered(BPF_CORE_READ(file, f_mapping), from, length, 0);
	return 0;
}

SEC("kretprobe/filemap_splice_read")
int BPF_KRETPROBE(splice_kretprobe, s64 result)
{
	read_left(result);
	return 0;
}

/* ---- insertions ---- */

SEC("tp_btf/mm_filemap_add_to_page_cache")
int BPF_PROG(insert_btf, struct folio *folio)
{
	if (filtered_in())
		folio_inserted(folio_mapping(folio), folio_index(folio), folio_pages(folio), INSERTED_UNKNOWN);
	return 0;
}

static __always_inline enum insertion insertion_by(u32 gfp)
{
	return gfp & ___GFP_WRITE ? INSERTED_FOR_WRITE : INSERTED_FOR_READ;
}

SEC("fexit/filemap_add_folio")
int BPF_PROG(folio_insert_fexit, struct address_space *mapping, struct folio *folio, unsigned long index, u32 gfp, int result)
{
	if (result == 0 && filtered_in())
		folio_inserted(mapping, index, folio_pages(folio), insertion_by(gfp));
	return 0;
}

/* until 5.15; later this is a wrapper that hardly anybody calls */
SEC("fexit/add_to_page_cache_lru")
int BPF_PROG(page_insert_fexit, struct folio *page, struct address_space *mapping, unsigned long index, u32 gfp, int result)
{
	if (result == 0 && filtered_in())
		folio_inserted(mapping, index, folio_pages(page), insertion_by(gfp));
	return 0;
}

/* The function says what for, the tracepoint in it that it succeeded. */
SEC("kprobe/filemap_add_folio")
int BPF_KPROBE(folio_insert_kprobe, void *mapping, struct folio *folio, unsigned long index, u32 gfp)
{
	struct request *r = filtered_in() ? current_request() : NULL;

	if (r) {
		r->adding = address_of(folio);
		r->adding_gfp = gfp;
	}
	return 0;
}

SEC("kprobe/add_to_page_cache_lru")
int BPF_KPROBE(page_insert_kprobe, struct folio *page, void *mapping, unsigned long index, u32 gfp)
{
	struct request *r = filtered_in() ? current_request() : NULL;

	if (r) {
		r->adding = address_of(page);
		r->adding_gfp = gfp;
	}
	return 0;
}

SEC("tp_btf/mm_filemap_add_to_page_cache")
int BPF_PROG(insert_purpose_btf, struct folio *folio)
{
	if (!filtered_in())
		return 0;
	struct request *r = known_request();
	enum insertion why = INSERTED_FOR_READ;

	if (r && r->adding == address_of(folio)) {
		why = insertion_by(r->adding_gfp);
		r->adding = 0;
	}
	folio_inserted(folio_mapping(folio), folio_index(folio), folio_pages(folio), why);
	return 0;
}

/* ---- dirtied pages; a claim tells a write's own pages where the insertion did not ---- */

SEC("tp_btf/writeback_dirty_folio")
int BPF_PROG(folio_dirty_claim_btf, struct folio *folio)
{
	if (filtered_in())
		folio_dirtied(folio, true);
	return 0;
}

SEC("tp_btf/writeback_dirty_page")
int BPF_PROG(page_dirty_claim_btf, struct folio *page)
{
	if (filtered_in())
		folio_dirtied(page, true);
	return 0;
}

SEC("tp_btf/writeback_dirty_folio")
int BPF_PROG(folio_dirty_btf, struct folio *folio)
{
	if (filtered_in())
		folio_dirtied(folio, false);
	return 0;
}

SEC("tp_btf/writeback_dirty_page")
int BPF_PROG(page_dirty_btf, struct folio *page)
{
	if (filtered_in())
		folio_dirtied(page, false);
	return 0;
}

/* ---- removals, for tools that count the whole machine ---- */

#ifndef PAGECACHE_BY_FILE
SEC("tp_btf/mm_filemap_delete_from_page_cache")
int BPF_PROG(remove_btf, struct folio *folio)
{
	if (!filtered_in())
		return 0;
	struct address_space *mapping = folio_mapping(folio);
	struct inode *host = BPF_CORE_READ(mapping, host);

	if ((BPF_CORE_READ(host, i_mode) & S_IFMT) != S_IFREG || BPF_CORE_READ(host, i_sb, s_magic) == HUGETLBFS_MAGIC)
		return 0;
	struct pagecache_counters *c = counters_of(mapping);

	if (c)
		COUNT(c->removed_pages, folio_pages(folio));
	return 0;
}
#endif

/* ---- faults, by the functions that fill page tables ---- */

static __always_inline void fault_entered(struct vm_fault *vmf)
{
	if (!filtered_in())
		return;
	struct address_space *mapping = faulting_mapping(vmf);
	struct request *r = mapping ? current_request() : NULL;

	if (r) {
		r->fault_open = 1;
		r->fault_mapping = address_of(mapping);
		r->fault_index = BPF_CORE_READ(vmf, pgoff);
	}
}

static __always_inline void fault_left(void)
{
	struct request *r = filtered_in() ? known_request() : NULL;

	if (r)
		r->fault_open = 0;
}

SEC("fentry/filemap_fault")
int BPF_PROG(file_fault_fentry, struct vm_fault *vmf)
{
	fault_entered(vmf);
	return 0;
}

SEC("fexit/filemap_fault")
int BPF_PROG(file_fault_fexit, struct vm_fault *vmf)
{
	fault_left();
	return 0;
}

/* Linux 6.6 */
SEC("fentry/set_pte_range")
int BPF_PROG(set_ptes_fentry, struct vm_fault *vmf, void *folio, void *page, u32 pages)
{
	if (filtered_in())
		fault_mapped(vmf, pages);
	return 0;
}

/* 5.12 to 6.5 */
SEC("fentry/do_set_pte")
int BPF_PROG(set_pte_fentry, struct vm_fault *vmf)
{
	if (filtered_in())
		fault_mapped(vmf, 1);
	return 0;
}

SEC("fexit/do_set_pmd")
int BPF_PROG(set_pmd_fexit, struct vm_fault *vmf, void *page, u32 result)
{
	if (result == 0 && filtered_in())
		fault_mapped(vmf, HUGE_PAGES);
	return 0;
}

/* with the folio as a second argument, since 6.17 */
SEC("fexit/do_set_pmd")
int BPF_PROG(set_pmd_folio_fexit, struct vm_fault *vmf, void *folio, void *page, u32 result)
{
	if (result == 0 && filtered_in())
		fault_mapped(vmf, HUGE_PAGES);
	return 0;
}

/* until 5.11; a huge mapping needs no page table */
static __always_inline u64 pages_set(struct vm_fault *vmf)
{
	return BPF_CORE_READ(vmf, pte) ? 1 : HUGE_PAGES;
}

SEC("fexit/alloc_set_pte")
int BPF_PROG(alloc_set_pte_fexit, struct vm_fault *vmf, void *page, u32 result)
{
	if (result == 0 && filtered_in())
		fault_mapped(vmf, pages_set(vmf));
	return 0;
}

SEC("kprobe/filemap_fault")
int BPF_KPROBE(file_fault_kprobe, struct vm_fault *vmf)
{
	fault_entered(vmf);
	return 0;
}

SEC("kretprobe/filemap_fault")
int BPF_KRETPROBE(file_fault_kretprobe)
{
	fault_left();
	return 0;
}

SEC("kprobe/set_pte_range")
int BPF_KPROBE(set_ptes_kprobe, struct vm_fault *vmf, void *folio, void *page, u32 pages)
{
	if (filtered_in())
		fault_mapped(vmf, pages);
	return 0;
}

SEC("kprobe/do_set_pte")
int BPF_KPROBE(set_pte_kprobe, struct vm_fault *vmf)
{
	if (filtered_in())
		fault_mapped(vmf, 1);
	return 0;
}

static __always_inline void mapping_entered(struct vm_fault *vmf)
{
	struct request *r = filtered_in() ? current_request() : NULL;

	if (r)
		r->vmf = address_of(vmf);
}

SEC("kprobe/do_set_pmd")
int BPF_KPROBE(set_pmd_kprobe, struct vm_fault *vmf)
{
	mapping_entered(vmf);
	return 0;
}

SEC("kretprobe/do_set_pmd")
int BPF_KRETPROBE(set_pmd_kretprobe, u32 result)
{
	struct request *r = result == 0 && filtered_in() ? known_request() : NULL;

	if (r && r->vmf)
		fault_mapped((void *)r->vmf, HUGE_PAGES);
	return 0;
}

SEC("kprobe/alloc_set_pte")
int BPF_KPROBE(alloc_set_pte_kprobe, struct vm_fault *vmf)
{
	mapping_entered(vmf);
	return 0;
}

SEC("kretprobe/alloc_set_pte")
int BPF_KRETPROBE(alloc_set_pte_kretprobe, u32 result)
{
	struct request *r = result == 0 && filtered_in() ? known_request() : NULL;

	if (r && r->vmf)
		fault_mapped((void *)r->vmf, pages_set((void *)r->vmf));
	return 0;
}

/* ---- faults, by tracepoints (Linux 6.12) ---- */

/* A fault whose page the fault-around did not find; it is counted when it is mapped. */
SEC("tp_btf/mm_filemap_fault")
int BPF_PROG(file_fault_btf, struct address_space *mapping, unsigned long index)
{
	if (!filtered_in())
		return 0;
	struct request *r = current_request();

	if (!r)
		return 0;
	u64 key = address_of(mapping);
	bool retry = r->fault_open && r->fault_mapping == key && r->fault_index == index;

	/* the fault before it mapped nothing: a private page was copied */
	if (r->fault_open && !retry) {
		struct pagecache_counters *c = counters_of((void *)r->fault_mapping);

		if (c)
			COUNT(c->fault_access_pages, 1);
	}
	r->fault_open = 1;
	r->fault_mapping = key;
	r->fault_index = index;
	return 0;
}

SEC("tp_btf/rss_stat")
int BPF_PROG(file_rss_btf, struct mm_struct *mm, int member)
{
	if (member != MM_FILEPAGES)
		return 0;
	bool wanted = filtered_in();
	s64 change = mapped_change(mm, wanted);
	struct task_struct *task = (void *)bpf_get_current_task();

	/* a fork fills its child's page tables without a fault */
	if (change <= 0 || BPF_CORE_READ(task, mm) != mm || !wanted)
		return 0;
	struct request *r = current_request();

	if (!r)
		return 0;
	struct address_space *mapping = NULL;

	r->mapped = change;
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
SEC("tp_btf/mm_filemap_map_pages")
int BPF_PROG(map_window_btf, struct address_space *mapping)
{
	if (!filtered_in())
		return 0;
	struct request *r = known_request();

	if (!r || !r->unnamed)
		return 0;
	u64 pages = r->unnamed;
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
int BPF_PROG(mm_exec_btf, struct task_struct *task)
{
	struct mm_struct *mm = task->mm;

	if (mm)
		mapped_born(mm);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(mm_fork_btf, struct task_struct *parent, struct task_struct *child)
{
	struct mm_struct *mm = child->mm;

	if (mm && mm != parent->mm)
		mapped_born(mm);
	return 0;
}

SEC("iter/task")
int mm_start_iter(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task && task->pid == task->tgid && task->mm)
		mapped_seed(task->mm);
	return 0;
}

SEC("tp_btf/exit_mmap")
int BPF_PROG(mm_exit_btf, struct mm_struct *mm)
{
	mapped_gone(mm);
	return 0;
}

#endif
