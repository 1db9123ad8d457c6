/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The page cache's accounting, whatever the hooks: what an access, an insertion,
 * a fault and a dirtied page add to the counters. pagecache_probes.h has the
 * hooks; Sources/Reports/PageCache.swift says what the counts mean.
 *
 * The object that includes this says where a task's pages are counted:
 * counters_of(), and COUNT() to add to one of its counters.
 */
#ifndef SWIFTMEM_PAGECACHE_H
#define SWIFTMEM_PAGECACHE_H

#include "lib/kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/filter.h"
#include "folio.h"
#include "lib/loss.h"
#include "pagecache_counters.h"
#include "pagecache_kernel.h"
#include "lib/percpu.h"

/* The current task's counters for a file; mapping is NULL where that is not known. */
static __always_inline struct pagecache_counters *counters_of(struct address_space *mapping);

/* Pages a task brought into one mapping and that no read or write has claimed yet. */
struct run {
	u64 mapping;
	u64 first;
	u64 end;
	u64 pages;
};

/* What a task is in the middle of. */
struct request {
	/* the read that the last batch belonged to (tracepoints) */
	u64 mapping;
	u64 last;
	u64 index;
	u64 syscalls; /* read system calls done before it */
	u64 bytes; /* that they read */
	u64 counted; /* pages counted for the call that it belongs to */

	struct run file;
	struct run device; /* of a mapping that is no regular file's */

	/* a fault that asked for a page which has not been mapped yet */
	u64 fault_mapping;
	u64 fault_index;
	u32 fault_open;

	/* a function that was entered and has not returned yet (kprobes) */
	u32 read_open;
	u64 read_mapping;
	u64 read_from;
	u64 read_count;
	u64 read_before; /* bytes that an earlier part of the call had read */
	u64 vmf;
	u64 adding; /* the folio that is being inserted */
	u32 adding_gfp;
	u32 unnamed; /* pages mapped by a fault whose file is not known yet */
	u32 mapped; /* pages that the last fault mapped */
	u32 mapped_by_fault; /* ... at fault_index of fault_mapping */
	u64 fault_address;
};

/* Linux 5.11 */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct request);
} requests SEC(".maps");

/* before that */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, struct request);
} requests_by_thread SEC(".maps");

/* A constant to the verifier: the branch not taken, with its helper and map, is gone. */
#define HAS_TASK_STORAGE bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_storage_get)

/* The current task's request, NULL where it has none. */
static __always_inline struct request *known_request(void)
{
	if (HAS_TASK_STORAGE)
		return bpf_task_storage_get(&requests, bpf_get_current_task_btf(), NULL, 0);
	u32 thread = (u32)bpf_get_current_pid_tgid();

	return bpf_map_lookup_elem(&requests_by_thread, &thread);
}

/* The current task's request, made where it has none. */
static __always_inline struct request *current_request(void)
{
	struct request *r;

	if (HAS_TASK_STORAGE) {
		r = bpf_task_storage_get(&requests, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	} else {
		u32 thread = (u32)bpf_get_current_pid_tgid();

		r = bpf_map_lookup_elem(&requests_by_thread, &thread);
		if (!r) {
			struct request none = {};

			bpf_map_update_elem(&requests_by_thread, &thread, &none, BPF_NOEXIST);
			r = bpf_map_lookup_elem(&requests_by_thread, &thread);
		}
	}
	if (!r)
		lost(LOSS_TASK_STATE);
	return r;
}

static __always_inline void run_add(struct run *run, u64 mapping, u64 index, u64 pages)
{
	if (run->mapping != mapping || !run->pages) {
		run->mapping = mapping;
		run->first = index;
		run->end = index + pages;
		run->pages = pages;
		return;
	}
	if (index < run->first)
		run->first = index;
	if (index + pages > run->end)
		run->end = index + pages;
	run->pages += pages;
}

/* How many of a run's pages lie within [first, last]. */
static __always_inline u64 run_within(struct run *run, u64 first, u64 last)
{
	u64 from = run->first > first ? run->first : first;
	u64 end = run->end < last + 1 ? run->end : last + 1;
	u64 pages = end > from ? end - from : 0;

	return pages < run->pages ? pages : run->pages;
}

/*
 * A read asked for [first, last] of a mapping: what this task inserted on the
 * way and lies within was demanded, the rest read ahead.
 */
static __always_inline void claim_runs(struct pagecache_counters *c, struct request *r, struct address_space *mapping,
				       u64 first, u64 last)
{
	if (r->file.pages) {
		if (r->file.mapping == (u64)mapping)
			COUNT(c->demanded_pages, run_within(&r->file, first, last));
		r->file.pages = 0;
	}
	if (r->device.pages) {
		/* a device's pages are metadata unless somebody reads the device itself */
		if (r->device.mapping == (u64)mapping) {
			COUNT(c->inserted_pages, r->device.pages);
			COUNT(c->demanded_pages, run_within(&r->device, first, last));
		}
		r->device.pages = 0;
	}
}

/* A read of a mapping is over, of `bytes` from a position on. */
static __always_inline void read_bytes(struct address_space *mapping, u64 from, s64 bytes)
{
	if (bytes <= 0)
		return;
	struct pagecache_counters *c = counters_of(mapping);

	if (!c)
		return;
	u64 first = from >> PAGE_SHIFT, last = (from + bytes - 1) >> PAGE_SHIFT;
	struct request *r = known_request();

	if (r)
		claim_runs(c, r, mapping, first, last);
	COUNT(c->read_access_pages, last - first + 1);
}

/* Why a folio came into the cache, as far as the hook tells. */
enum insertion {
	INSERTED_FOR_READ,
	INSERTED_FOR_WRITE,
	INSERTED_UNKNOWN, /* for a write, if this task dirties it next */
};

static __always_inline void folio_inserted(struct address_space *mapping, u64 index, u64 pages, enum insertion why)
{
	struct inode *host = BPF_CORE_READ(mapping, host);
	bool regular = (BPF_CORE_READ(host, i_mode) & S_IFMT) == S_IFREG;
	u64 key = address_of(mapping);

	/* hugetlbfs' pages are no cache of anything */
	if (regular && BPF_CORE_READ(host, i_sb, s_magic) == HUGETLBFS_MAGIC)
		return;
	if (!regular) {
		struct request *r = current_request();

		if (r)
			run_add(&r->device, key, index, pages);
		return;
	}
	struct pagecache_counters *c = counters_of(mapping);

	if (!c)
		return;
	COUNT(c->inserted_pages, pages);
	if (why == INSERTED_FOR_WRITE) {
		COUNT(c->write_alloc_pages, pages);
		return;
	}
	struct request *r = current_request();

	if (!r)
		return;
	if (r->fault_open && r->fault_mapping == key) {
		if (r->fault_index >= index && r->fault_index < index + pages)
			COUNT(c->demanded_pages, 1);
		/* a fault reads, even if what follows dirties */
		if (why == INSERTED_UNKNOWN)
			return;
	}
	run_add(&r->file, key, index, pages);
}

static __always_inline void folio_dirtied(struct folio *folio, bool claim)
{
	struct address_space *mapping = folio_mapping(folio);
	u64 pages = folio_pages(folio);
	struct pagecache_counters *c = counters_of(mapping);

	if (!c)
		return;
	COUNT(c->dirtied_pages, pages);
	if (!claim)
		return;
	struct request *r = known_request();

	if (!r || !r->file.pages || r->file.mapping != address_of(mapping))
		return;
	/* created by the write that dirties it now: it was not read */
	u64 index = folio_index(folio);
	u64 written = run_within(&r->file, index, index + pages - 1);

	COUNT(c->write_alloc_pages, written);
	r->file.pages -= written;
}

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

#endif
