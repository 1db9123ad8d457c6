/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Pages that come into the cache. mm/filemap.c:
 *   filemap_add_folio(mapping, folio, index, gfp)          since 5.16
 *   add_to_page_cache_lru(page, mapping, index, gfp)       until 5.15; later a wrapper that hardly
 *                                                          anybody calls
 *     __filemap_add_folio(), __add_to_page_cache_locked()  mm_filemap_add_to_page_cache, at its end
 * The tracepoint does not say what the page is for; the functions' gfp does.
 */
#ifndef SWIFTMEM_PAGECACHE_INSERTIONS_H
#define SWIFTMEM_PAGECACHE_INSERTIONS_H

#include "lib/twice.h"
#include "lib/unpreempted.h"
#include "pagecache/accounting.h"

TWICE("tp_btf/mm_filemap_add_to_page_cache", insert, btf, struct folio *folio)
{
	if (filtered_in())
		folio_inserted(folio_mapping(folio), folio_index(folio), folio_pages(folio), INSERTED_UNKNOWN);
	return 0;
}

static __always_inline enum insertion insertion_by(u32 gfp)
{
	return gfp & ___GFP_WRITE ? INSERTED_FOR_WRITE : INSERTED_FOR_READ;
}

TWICE("fexit/filemap_add_folio", folio_insert, fexit, struct address_space *mapping, struct folio *folio,
      unsigned long index, u32 gfp, int result)
{
	if (result == 0 && filtered_in())
		folio_inserted(mapping, index, folio_pages(folio), insertion_by(gfp));
	return 0;
}

SEC("fexit/add_to_page_cache_lru")
int UNPREEMPTED(page_insert_fexit, struct folio *page, struct address_space *mapping, unsigned long index, u32 gfp,
		int result)
{
	if (result == 0 && filtered_in())
		folio_inserted(mapping, index, folio_pages(page), insertion_by(gfp));
	return 0;
}

/* The function says what for, the tracepoint in it that it succeeded. */
static __always_inline int folio_adding(struct folio *folio, u32 gfp)
{
	struct request *r = filtered_in() ? current_request() : NULL;

	if (r) {
		r->adding = address_of(folio);
		r->adding_gfp = gfp;
	}
	return 0;
}

SEC("kprobe/filemap_add_folio")
int BPF_KPROBE(folio_insert_kprobe, void *mapping, struct folio *folio, unsigned long index, u32 gfp)
{
	return folio_adding(folio, gfp);
}

SEC("kprobe/add_to_page_cache_lru")
int BPF_KPROBE(page_insert_kprobe, struct folio *page, void *mapping, unsigned long index, u32 gfp)
{
	return folio_adding(page, gfp);
}

TWICE("tp_btf/mm_filemap_add_to_page_cache", insert_purpose, btf, struct folio *folio)
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

#ifndef PAGECACHE_BY_FILE
TWICE("tp_btf/mm_filemap_add_to_page_cache", ahead_insert, btf, struct folio *folio)
{
	struct address_space *mapping = folio_mapping(folio);

	if (!filtered_in() || !is_file_cache(mapping))
		return 0;
	u64 key = address_of(mapping), first = folio_index(folio);
	u64 pages = pages_of_file(mapping, first, folio_pages(folio)), last = first + pages - 1;
	struct request *r = pages ? current_request() : NULL;

	if (!r)
		return 0;
	pages_came(key, first, last);
	run_add(&r->came, key, first, pages);
	/* the page that a fault waits for: no event tells when it is mapped */
	if (r->fault_open && r->fault_mapping == key && r->fault_index >= first && r->fault_index <= last)
		pages_used(mapping, r->fault_index, r->fault_index);
	return 0;
}
#endif

#endif
