/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A page cache's folio; a page before 5.16. Tracepoints hand over the one or the other. */
#ifndef SWIFTMEM_FOLIO_H
#define SWIFTMEM_FOLIO_H

#include "vmlinux/compat.h"
#include <bpf/bpf_core_read.h>

static __always_inline struct address_space *folio_mapping(struct folio *folio)
{
	if (bpf_core_type_exists(struct folio))
		return BPF_CORE_READ(folio, mapping);
	return BPF_CORE_READ((struct page *)folio, mapping);
}

static __always_inline u64 folio_index(struct folio *folio)
{
	if (bpf_core_type_exists(struct folio))
		return BPF_CORE_READ(folio, index);
	return BPF_CORE_READ((struct page *)folio, index);
}

static __always_inline unsigned long folio_flags(struct folio *folio)
{
	struct folio___memdesc *memdesc = (void *)folio;

	if (bpf_core_field_exists(memdesc->flags.f))
		return BPF_CORE_READ(memdesc, flags.f);
	if (bpf_core_type_exists(struct folio))
		return BPF_CORE_READ(folio, flags);
	return BPF_CORE_READ((struct page *)folio, flags);
}

static __always_inline u64 folio_pages(struct folio *folio)
{
	struct page *page = (void *)folio;

	if (!(folio_flags(folio) & (1UL << bpf_core_enum_value(enum pageflags, PG_head))))
		return 1;
	struct folio___nr_pages *newer = (void *)folio;
	struct folio___folio_nr_pages *older = (void *)folio;
	u32 pages = 1;

	if (bpf_core_field_exists(newer->_nr_pages)) {
		pages = BPF_CORE_READ(newer, _nr_pages);
	} else if (bpf_core_field_exists(older->_folio_nr_pages)) {
		pages = BPF_CORE_READ(older, _folio_nr_pages);
	} else if (bpf_core_field_exists(page->compound_nr)) {
		struct page *second = (void *)folio + bpf_core_type_size(struct page);

		pages = BPF_CORE_READ(second, compound_nr);
	}
	return pages;
}

#endif
