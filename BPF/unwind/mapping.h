/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The mapping of this process that holds an address: a page of mappings, then one in it. */
#ifndef SWIFTMEM_UNWIND_MAPPING_H
#define SWIFTMEM_UNWIND_MAPPING_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "unwind/maps.h"
#include "unwind/state.h"
#include "unwind/verifier.h"

/* The mapping that may hold an address, if any does. */
static __always_inline struct unwind_mapping *unwind_mapping_in(struct unwind_page *page, u64 at)
{
	u64 index = 0;

#pragma unroll
	for (u32 step = UNWIND_PAGE_MAPPINGS / 2; step; step /= 2) {
		u64 start = page->mappings[MASKED(index + step, UNWIND_PAGE_MAPPINGS)].start;

		index += step * AT_MOST(start >> 1, at >> 1);
	}
	return &page->mappings[MASKED(index, UNWIND_PAGE_MAPPINGS)];
}

/* The page whose mappings may hold an address; NULL where it is of another reading. */
static __always_inline struct unwind_page *unwind_page_of(struct unwind_page *first, u32 pid, u64 at)
{
	u64 index = 0;

	if (first->pages <= 1)
		return first;
#pragma unroll
	for (u32 step = UNWIND_PAGES / 2; step; step /= 2) {
		u64 start = first->firsts[MASKED(index + step, UNWIND_PAGES)];

		index += step * AT_MOST(start >> 1, at >> 1);
	}
	if (!index)
		return first;
	struct unwind_page_key key = { .pid = pid, .page = index & (UNWIND_PAGES - 1) };
	struct unwind_page *page = bpf_map_lookup_elem(&unwind_pages, &key);

	return page && page->generation == first->generation ? page : NULL;
}

/* Goes on in the mapping that holds an address; false where none is known. */
static __always_inline bool unwind_enter(struct unwind_walk *walk, u64 at)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	u32 *parent = bpf_map_lookup_elem(&unwind_parents, &pid);

	if (parent)
		pid = *parent;
	struct unwind_page_key key = { .pid = pid };
	struct unwind_page *first = bpf_map_lookup_elem(&unwind_pages, &key);
	struct unwind_page *page = first ? unwind_page_of(first, pid, at) : NULL;

	walk->size = 0;
	if (!page)
		return false;
	struct unwind_mapping *mapping = unwind_mapping_in(page, at);
	u64 start = mapping->start, size = mapping->end - start;

	walk->start = start;
	walk->table = mapping->table;
	walk->offset = mapping->offset;
	walk->rules = mapping->rules;
	/* an entry that is replaced may be another's at once */
	if (at - start >= size || page->pid != pid)
		return false;
	walk->size = size;
	return true;
}

#endif
