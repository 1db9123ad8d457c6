/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Pages that become dirty, folio_mark_dirty() -> __folio_mark_dirty() (mm/page-writeback.c):
 * writeback_dirty_folio, which was writeback_dirty_page until 5.17. A claim takes a
 * write's own pages out of those that were read, where the insertion did not tell them apart.
 */
#ifndef SWIFTMEM_PAGECACHE_DIRTIED_H
#define SWIFTMEM_PAGECACHE_DIRTIED_H

#include "pagecache/accounting.h"

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

#ifndef PAGECACHE_BY_FILE
/* A page that a write makes or fills is nobody's readahead. */
SEC("tp_btf/writeback_dirty_folio")
int BPF_PROG(ahead_dirty_btf, struct folio *folio)
{
	if (!filtered_in())
		return 0;
	u64 first = folio_index(folio);

	pages_met(address_of(folio_mapping(folio)), first, first + folio_pages(folio) - 1, FOLIO_BLOCKS);
	return 0;
}
#endif

#endif
