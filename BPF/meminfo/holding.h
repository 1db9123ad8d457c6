/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The record of a holding, walks through arrays and lists, the owner of a page. */
#ifndef SWIFTMEM_MEMINFO_HOLDING_H
#define SWIFTMEM_MEMINFO_HOLDING_H

#include "vmlinux/fs.h"
#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/page.h"
#include "meminfo.h"

/*
 * Elements of an array or a list that are looked at, at most; the rest is estimated from them. Without bpf_loop(),
 * before 5.17, the verifier goes through each turn of the loop.
 */
#define LOOKS 1024
#define LOOKS_UNROLLED 16

/* A walk through an array or a list. */
struct walk {
	u64 base; /* the array; a list's head */
	u64 at; /* a list's next */
	u64 link; /* where an element has its place in the list */
	u64 socket, stack;
	u32 first, mask; /* of a ring of slots */
	u32 step; /* one in `step` is looked at */
	u32 looked;
	u64 own; /* pages or bytes in the elements looked at that no counter has */
};

/* Calls `look` for elements of the walk, until it returns 1. */
static __always_inline void look_at(struct walk *w, long (*look)(u32, struct walk *), u32 count, bool loops)
{
	u32 most = loops ? LOOKS : LOOKS_UNROLLED;

	w->step = (count + most - 1) / most;
	if (!w->step)
		return;
	if (loops) {
		bpf_loop((count + w->step - 1) / w->step, look, w, 0);
		return;
	}
	for (u32 i = 0; i < LOOKS_UNROLLED && i * w->step < count; i++)
		if (look(i, w))
			break;
}

/* The sum over all elements, scaled up from those that were looked at. */
static __always_inline u64 scaled(struct walk *w, u64 count)
{
	return w->looked ? w->own * count / w->looked : 0;
}

/* Does no other counter have the page, as it would that of a file or a process? */
static __always_inline bool is_own_page(u64 page)
{
	struct address_space *mapping = NULL;

	/* anonymous pages have a mapping too, with a bit set in it (PAGE_MAPPING_ANON) */
	if (!page || page & 1)
		return false;
	if (bpf_core_field_exists(struct folio, mapping))
		mapping = BPF_CORE_READ((struct folio *)page, mapping);
	else
		mapping = BPF_CORE_READ((struct page *)page, mapping);
	return !mapping;
}

/* Writes the record, unless it holds nothing. */
static __always_inline void write_holding(struct seq_file *seq, u32 kind, u32 pid, u64 address, u64 bytes)
{
	struct meminfo_holding h = { .kind = kind, .pid = pid, .address = address, .bytes = bytes };

	if (bytes)
		bpf_seq_write(seq, &h, sizeof(h));
}

#endif
