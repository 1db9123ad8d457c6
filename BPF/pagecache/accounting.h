/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What an access, an insertion and a dirtied page add to the counters, whatever the
 * hook that saw it. Sources/Reports/PageCache says what the counters mean.
 *
 * The tool's object says where a task's pages are counted: counters_of(), and
 * COUNT() to add to one of its counters.
 */
#ifndef SWIFTMEM_PAGECACHE_ACCOUNTING_H
#define SWIFTMEM_PAGECACHE_ACCOUNTING_H

#include "vmlinux/fs.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/call_registers.h"
#include "lib/filter.h"
#include "lib/page.h"
#include "lib/percpu.h"
#include "pagecache_counters.h"
#include "pagecache/folio.h"
#include "pagecache/request.h"

/* The current task's counters for a file; mapping is NULL where that is not known. */
static __always_inline struct pagecache_counters *counters_of(struct address_space *mapping);

static __always_inline void run_add(struct run *run, u64 mapping, u64 index, u64 pages)
{
	u64 call = call_identity();

	if (run->mapping != mapping || run->call != call || !run->pages) {
		run->mapping = mapping;
		run->call = call;
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
 * A read asked for [first, last] of a mapping: what its call inserted on the
 * way and lies within was demanded, the rest read ahead.
 */
static __always_inline void claim_runs(struct pagecache_counters *c, struct request *r, struct address_space *mapping,
				       u64 first, u64 last)
{
	if (r->file.pages) {
		if (r->file.mapping == (u64)mapping && r->file.call == call_identity())
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

/* hugetlbfs' pages are no cache of anything. */
static __always_inline bool is_file_cache(struct address_space *mapping)
{
	struct inode *host = BPF_CORE_READ(mapping, host);

	return (BPF_CORE_READ(host, i_mode) & S_IFMT) == S_IFREG &&
	       BPF_CORE_READ(host, i_sb, s_magic) != HUGETLBFS_MAGIC;
}

/*
 * How many of a folio's pages are the file's. A file system that only reads may fill its blocks up with pages behind
 * the file's end, which come from nowhere (squashfs: 32 for a file of 6 bytes); where writes may make the file longer
 * they are its next pages.
 */
static __always_inline u64 pages_of_file(struct address_space *mapping, u64 index, u64 pages)
{
	struct inode *host = BPF_CORE_READ(mapping, host);

	if (!(BPF_CORE_READ(host, i_sb, s_flags) & SB_RDONLY))
		return pages;
	u64 end = (BPF_CORE_READ(host, i_size) + PAGE_SIZE - 1) >> PAGE_SHIFT;

	return index >= end ? 0 : index + pages > end ? end - index : pages;
}

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
	pages = pages_of_file(mapping, index, pages);
	if (!pages)
		return;
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
	/* created by the write that dirties it now, it was not read; an earlier call's pages were: readahead() */
	if (r->file.call != call_identity())
		return;
	u64 index = folio_index(folio);
	u64 written = run_within(&r->file, index, index + pages - 1);

	COUNT(c->write_alloc_pages, written);
	r->file.pages -= written;
}

#endif
