/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A page cache's folio; a page before 5.16. Tracepoints hand over the one or the other. */
#ifndef SWIFTMEM_FOLIO_H
#define SWIFTMEM_FOLIO_H

#include "lib/kernel.h"
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
/* since 6.18, 53fbef56e07d ("mm: introduce memdesc_flags_t") */
typedef struct {
	unsigned long f;
} memdesc_flags_t;
struct folio___memdesc {
	memdesc_flags_t flags;
};
/* 5.17 to 6.14 */
struct folio___nr {
	unsigned int _folio_nr_pages;
};
/* since 6.15 */
struct folio___nr_short {
	unsigned int _nr_pages;
};
/* until 5.15; index and compound_nr left struct page later */
struct page___cached {
	unsigned long flags;
	struct address_space *mapping;
	unsigned long index;
	unsigned int compound_nr; /* of a compound page's second page */
};
struct page {
	unsigned long flags;
};
#pragma clang attribute pop

enum pageflags {
	PG_head,
};

static __always_inline struct address_space *folio_mapping(struct folio *folio)
{
	if (bpf_core_type_exists(struct folio))
		return BPF_CORE_READ(folio, mapping);
	return BPF_CORE_READ((struct page___cached *)folio, mapping);
}

static __always_inline u64 folio_index(struct folio *folio)
{
	if (bpf_core_type_exists(struct folio))
		return BPF_CORE_READ(folio, index);
	return BPF_CORE_READ((struct page___cached *)folio, index);
}

static __always_inline u64 folio_pages(struct folio *folio)
{
	unsigned long flags = 0;

	struct folio___memdesc *memdesc = (void *)folio;
	struct page___cached *page = (void *)folio;

	if (bpf_core_field_exists(memdesc->flags.f))
		flags = BPF_CORE_READ(memdesc, flags.f);
	else if (bpf_core_type_exists(struct folio))
		flags = BPF_CORE_READ(folio, flags);
	else
		flags = BPF_CORE_READ(page, flags);
	if (!(flags & (1UL << bpf_core_enum_value(enum pageflags, PG_head))))
		return 1;
	struct folio___nr_short *newer = (void *)folio;
	struct folio___nr *older = (void *)folio;
	u32 pages = 1;

	if (bpf_core_field_exists(newer->_nr_pages)) {
		pages = BPF_CORE_READ(newer, _nr_pages);
	} else if (bpf_core_field_exists(older->_folio_nr_pages)) {
		pages = BPF_CORE_READ(older, _folio_nr_pages);
	} else if (bpf_core_field_exists(page->compound_nr)) {
		struct page___cached *second = (void *)folio + bpf_core_type_size(struct page);

		pages = BPF_CORE_READ(second, compound_nr);
	}
	return pages;
}

#endif
