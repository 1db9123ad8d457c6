/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Pages that become dirty, folio_mark_dirty() -> __folio_mark_dirty() (mm/page-writeback.c):
 * writeback_dirty_folio, which was writeback_dirty_page until 5.17. A claim takes a
 * write's own pages out of those that were read, where the insertion did not tell them apart.
 */
#ifndef SWIFTMEM_PAGECACHE_DIRTIED_H
#define SWIFTMEM_PAGECACHE_DIRTIED_H

#include "lib/unpreempted.h"
#include "pagecache/accounting.h"
#include "pagecache/transfer.h"

SEC("tp_btf/writeback_dirty_folio")
int UNPREEMPTED(folio_dirty_claim_btf, struct folio *folio)
{
	if (filtered_in())
		folio_dirtied(folio, true);
	return 0;
}

SEC("tp_btf/writeback_dirty_page")
int UNPREEMPTED(page_dirty_claim_btf, struct folio *page)
{
	if (filtered_in())
		folio_dirtied(page, true);
	return 0;
}

SEC("tp_btf/writeback_dirty_folio")
int UNPREEMPTED(folio_dirty_btf, struct folio *folio)
{
	if (filtered_in())
		folio_dirtied(folio, false);
	return 0;
}

SEC("tp_btf/writeback_dirty_page")
int UNPREEMPTED(page_dirty_btf, struct folio *page)
{
	if (filtered_in())
		folio_dirtied(page, false);
	return 0;
}

#ifndef PAGECACHE_BY_FILE
/* A page that the write itself brought is nobody's readahead. */
SEC("tp_btf/writeback_dirty_folio")
int UNPREEMPTED(ahead_dirty_btf, struct folio *folio)
{
	struct request *r = filtered_in() ? known_request() : NULL;

	if (!r || !r->came.pages)
		return 0;
	u64 mapping = address_of(folio_mapping(folio)), first = folio_index(folio);

	if (r->came.mapping != mapping || first < r->came.first || first >= r->came.end ||
	    r->came.call != call_identity())
		return 0;
	pages_met(mapping, first, first + folio_pages(folio) - 1, FOLIO_BLOCKS);
	return 0;
}

/*
 * A page that was read ahead and is written was used. A folio becomes dirty whole, and once: which of its pages a write
 * touches, and those that follow, the call tells.
 */
SEC("tp_btf/sys_exit")
int UNPREEMPTED(ahead_write_btf, struct pt_regs *regs, long result)
{
	struct transfer_call call = {};

	if (result <= 0 || !transfer_of(regs, result, &call) || call.kind <= LAST_READ || !filtered_in())
		return 0;
	u32 flags = 0;
	struct address_space *mapping = transfer_mapping(&call, &flags);

	/* what is appended was not there to be read ahead, and is not where pwrite() says */
	if (!mapping || flags & (O_DIRECT | O_APPEND) || !is_file_cache(mapping))
		return 0;
	pages_used(mapping, call.start >> PAGE_SHIFT, (call.start + result - 1) >> PAGE_SHIFT);
	return 0;
}
#endif

#endif
