/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Pages that page faults map, by the functions that fill page tables. mm/memory.c:
 *   filemap_map_pages()                fault-around
 *   filemap_fault(), finish_fault()    the page itself
 *     set_pte_range(vmf, folio, page, nr)  Linux 6.6: a run of pages
 *     do_set_pte(vmf)                      5.12 to 6.5: one
 *     do_set_pmd(vmf[, folio], page)       a huge page; with the folio since 6.17
 *     alloc_set_pte(vmf, page)             until 5.11: one, or a huge page
 */
#ifndef SWIFTMEM_PAGECACHE_FAULT_FUNCTIONS_H
#define SWIFTMEM_PAGECACHE_FAULT_FUNCTIONS_H

#include "pagecache/accounting.h"

/* The file behind a fault, NULL where it is none that the page cache keeps. */
static __always_inline struct address_space *faulting_mapping(struct vm_fault *vmf)
{
	struct file *file = BPF_CORE_READ(vmf, vma, vm_file);

	if (!file)
		return NULL;
	struct address_space *mapping = BPF_CORE_READ(file, f_mapping);
	struct inode *host = BPF_CORE_READ(mapping, host);
	u32 kind = BPF_CORE_READ(host, i_mode) & S_IFMT;

	if (kind == S_IFBLK)
		return mapping;
	if (kind != S_IFREG)
		return NULL;
	unsigned long magic = BPF_CORE_READ(host, i_sb, s_magic);

	return magic == TMPFS_MAGIC || magic == HUGETLBFS_MAGIC ? NULL : mapping;
}

/* A fault put pages of a file into a page table; a private copy counts for its origin. */
static __always_inline void fault_mapped(struct vm_fault *vmf, u64 pages)
{
	struct address_space *mapping = faulting_mapping(vmf);

	if (!mapping)
		return;
	struct pagecache_counters *c = counters_of(mapping);

	if (c)
		COUNT(c->fault_access_pages, pages);
}

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
int UNPREEMPTED(file_fault_fentry, struct vm_fault *vmf)
{
	fault_entered(vmf);
	return 0;
}

SEC("fexit/filemap_fault")
int UNPREEMPTED(file_fault_fexit, struct vm_fault *vmf)
{
	fault_left();
	return 0;
}

/* Linux 6.6 */
SEC("fentry/set_pte_range")
int UNPREEMPTED(set_ptes_fentry, struct vm_fault *vmf, void *folio, void *page, u32 pages)
{
	if (filtered_in())
		fault_mapped(vmf, pages);
	return 0;
}

/* 5.12 to 6.5 */
SEC("fentry/do_set_pte")
int UNPREEMPTED(set_pte_fentry, struct vm_fault *vmf)
{
	if (filtered_in())
		fault_mapped(vmf, 1);
	return 0;
}

SEC("fexit/do_set_pmd")
int UNPREEMPTED(set_pmd_fexit, struct vm_fault *vmf, void *page, u32 result)
{
	if (result == 0 && filtered_in())
		fault_mapped(vmf, HUGE_PAGES);
	return 0;
}

SEC("fexit/do_set_pmd")
int UNPREEMPTED(set_pmd_folio_fexit, struct vm_fault *vmf, void *folio, void *page, u32 result)
{
	if (result == 0 && filtered_in())
		fault_mapped(vmf, HUGE_PAGES);
	return 0;
}

/* A huge mapping needs no page table. */
static __always_inline u64 pages_set(struct vm_fault *vmf)
{
	return BPF_CORE_READ(vmf, pte) ? 1 : HUGE_PAGES;
}

SEC("fexit/alloc_set_pte")
int UNPREEMPTED(alloc_set_pte_fexit, struct vm_fault *vmf, void *page, u32 result)
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

/* Its argument is not at hand at the return. */
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

#ifndef PAGECACHE_BY_FILE
SEC("fentry/filemap_map_pages")
int UNPREEMPTED(ahead_map_window_fentry, struct vm_fault *vmf, unsigned long first, unsigned long last)
{
	if (filtered_in())
		pages_used(BPF_CORE_READ(vmf, vma, vm_file, f_mapping), first, last);
	return 0;
}

SEC("fexit/filemap_fault")
int UNPREEMPTED(ahead_fault_fexit, struct vm_fault *vmf)
{
	u64 index = BPF_CORE_READ(vmf, pgoff);

	if (filtered_in())
		pages_used(BPF_CORE_READ(vmf, vma, vm_file, f_mapping), index, index);
	return 0;
}

/* What is mapped may be more than the window: all of a large folio (6.18, 357b92761d94). */
SEC("fentry/set_pte_range")
int UNPREEMPTED(ahead_set_ptes_fentry, struct vm_fault *vmf, void *folio, void *page, u32 pages, unsigned long address)
{
	if (!filtered_in())
		return 0;
	struct vm_area_struct *vma = BPF_CORE_READ(vmf, vma);
	u64 first = BPF_CORE_READ(vma, vm_pgoff) + ((address - BPF_CORE_READ(vma, vm_start)) >> PAGE_SHIFT);

	pages_used(BPF_CORE_READ(vma, vm_file, f_mapping), first, first + pages - 1);
	return 0;
}

static __always_inline int ahead_pmd_set(struct vm_fault *vmf, u32 result)
{
	u64 first = BPF_CORE_READ(vmf, pgoff) & ~(HUGE_PAGES - 1);

	if (result == 0 && filtered_in())
		pages_used(BPF_CORE_READ(vmf, vma, vm_file, f_mapping), first, first + HUGE_PAGES - 1);
	return 0;
}

SEC("fexit/do_set_pmd")
int UNPREEMPTED(ahead_set_pmd_fexit, struct vm_fault *vmf, struct page *page, u32 result)
{
	return ahead_pmd_set(vmf, result);
}

SEC("fexit/do_set_pmd")
int UNPREEMPTED(ahead_set_pmd_folio_fexit, struct vm_fault *vmf, void *folio, void *page, u32 result)
{
	return ahead_pmd_set(vmf, result);
}
#endif

#endif
