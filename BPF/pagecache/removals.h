/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Pages that leave the cache, page_cache_delete() (mm/filemap.c): whoever removes them, for reclaim works for
 * all tasks. For tools that count the whole machine.
 */
#ifndef SWIFTMEM_PAGECACHE_REMOVALS_H
#define SWIFTMEM_PAGECACHE_REMOVALS_H

#include "lib/unpreempted.h"
#include "pagecache/accounting.h"

SEC("tp_btf/mm_filemap_delete_from_page_cache")
int UNPREEMPTED(remove_btf, struct folio *folio)
{
	if (!filtered_in())
		return 0;
	struct address_space *mapping = folio_mapping(folio);

	if (!is_file_cache(mapping))
		return 0;
	u64 pages = pages_of_file(mapping, folio_index(folio), folio_pages(folio));
	struct pagecache_counters *c = pages ? counters_of(mapping) : NULL;

	if (c)
		COUNT(c->removed_pages, pages);
	return 0;
}

SEC("tp_btf/mm_filemap_delete_from_page_cache")
int UNPREEMPTED(ahead_remove_btf, struct folio *folio)
{
	struct readahead_counters *c = readahead_counts();
	u64 first = folio_index(folio);

	if (c)
		c->dropped_pages += pages_met(address_of(folio_mapping(folio)), first, first + folio_pages(folio) - 1,
					      FOLIO_BLOCKS);
	return 0;
}

#endif
