/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* How many pages a folio has, on every kernel that has folios. */
#ifndef SWIFTMEM_FOLIO_H
#define SWIFTMEM_FOLIO_H

#include "kernel.h"
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
#pragma clang attribute pop

enum pageflags {
	PG_head,
};

static __always_inline u64 folio_pages(struct folio *folio)
{
	unsigned long flags = 0;

	struct folio___memdesc *memdesc = (void *)folio;

	if (bpf_core_field_exists(memdesc->flags.f))
		flags = BPF_CORE_READ(memdesc, flags.f);
	else
		flags = BPF_CORE_READ(folio, flags);
	if (!(flags & (1UL << bpf_core_enum_value(enum pageflags, PG_head))))
		return 1;
	struct folio___nr_short *newer = (void *)folio;
	struct folio___nr *older = (void *)folio;
	u32 pages = 1;

	if (bpf_core_field_exists(newer->_nr_pages))
		pages = BPF_CORE_READ(newer, _nr_pages);
	else if (bpf_core_field_exists(older->_folio_nr_pages))
		pages = BPF_CORE_READ(older, _folio_nr_pages);
	return pages;
}

#endif
