/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Pages used by page faults, by the tracepoints of fault_events.h: the bits of readahead.h are cleared. */
#ifndef SWIFTMEM_PAGECACHE_AHEAD_FAULTS_H
#define SWIFTMEM_PAGECACHE_AHEAD_FAULTS_H

#include "lib/unpreempted.h"
#include "pagecache/fault_events.h"
#include "pagecache/readahead.h"

SEC("tp_btf/mm_filemap_fault")
int UNPREEMPTED(ahead_fault_btf, struct address_space *mapping, unsigned long index)
{
	if (filtered_in())
		pages_used(mapping, index, index);
	return 0;
}

/*
 * The window counts as used whole: pages of it that are cached are mapped, but for those
 * that are still being read. Since 6.18 fault-around maps the whole of a large folio
 * (357b92761d94, "mm/filemap: map entire large folio faultaround"): more than the window, as
 * rss_stat just said.
 */
SEC("tp_btf/mm_filemap_map_pages")
int UNPREEMPTED(ahead_map_window_btf, struct address_space *mapping, unsigned long first, unsigned long last)
{
	if (!filtered_in())
		return 0;
	struct request *r = known_request();

	if (r && r->mapped > last - first + 1) {
		u64 size = folio_size_within(r->mapped);

		pages_used(mapping, first & ~(size - 1), (first & ~(size - 1)) + size - 1);
	}
	if (r)
		r->mapped = 0;
	pages_used(mapping, first, last);
	return 0;
}

/*
 * A huge mapping has no event but rss_stat, which does not say the file: the address that faulted does. x86 alone has
 * it (arch/x86/include/asm/trace/exceptions.h).
 */
SEC("tp_btf/page_fault_user")
int UNPREEMPTED(ahead_fault_address_btf, unsigned long address)
{
	struct request *r = filtered_in() ? current_request() : NULL;

	if (r)
		r->fault_address = address;
	return 0;
}

struct huge_mapping {
	u64 address;
	struct address_space *mapping;
	u64 first;
};

static long huge_mapping_of(struct task_struct *task, struct vm_area_struct *vma, void *context)
{
	struct huge_mapping *huge = context;
	struct file *file = BPF_CORE_READ(vma, vm_file);
	u64 start = huge->address & ~(HUGE_PAGES * PAGE_SIZE - 1);

	if (!file)
		return 0;
	huge->mapping = BPF_CORE_READ(file, f_mapping);
	huge->first = BPF_CORE_READ(vma, vm_pgoff) + ((s64)(start - BPF_CORE_READ(vma, vm_start)) >> PAGE_SHIFT);
	return 0;
}

/*
 * Runs behind file_rss_btf, which says how many pages were mapped: the ladder attaches
 * it later. Since 6.18 a fault maps the whole folio (19773df031bc, "mm/fault: try to map
 * the entire file folio in finish_fault()").
 */
SEC("tp_btf/rss_stat")
int UNPREEMPTED(ahead_rss_btf, struct mm_struct *mm, int member)
{
	struct request *r = member == MM_FILEPAGES && filtered_in() ? known_request() : NULL;

	if (!r || r->mapped < 2)
		return 0;
	struct huge_mapping huge = { .address = r->fault_address };
	u64 size = folio_size_within(r->mapped);

	if (r->mapped_by_fault) {
		u64 first = r->fault_index & ~(size - 1);

		pages_used((void *)r->fault_mapping, first, first + size - 1);
		r->mapped = 0;
		return 0;
	}
	if (size < HUGE_PAGES)
		return 0; /* mm_filemap_map_pages comes */
	r->mapped = 0;
	if (bpf_find_vma(bpf_get_current_task_btf(), huge.address, huge_mapping_of, &huge, 0))
		lost(LOSS_UNREADABLE);
	if (huge.mapping)
		pages_used(huge.mapping, huge.first, huge.first + HUGE_PAGES - 1);
	return 0;
}

#endif
