/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A record, and whose a page is. */
#ifndef SWIFTMEM_MEMINFO_HOLDING_H
#define SWIFTMEM_MEMINFO_HOLDING_H

#include "vmlinux/fs.h"
#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/page.h"
#include "meminfo.h"

/* How many of many alike are looked at; the others are taken to be like them. */
#define LOOKS 256

/* One after how many is looked at, of so many. */
static __always_inline u32 stride(u32 count)
{
	return (count + LOOKS - 1) / LOOKS;
}

/* Is a page nobody's but its holder's: neither of a file nor of a process, which other counters have? */
static __always_inline bool is_own_page(u64 page)
{
	struct address_space *mapping = NULL;

	/* a process's own page has a mapping too; a bit says that it is none (PAGE_MAPPING_ANON) */
	if (!page || page & 1)
		return false;
	if (bpf_core_field_exists(struct folio, mapping))
		mapping = BPF_CORE_READ((struct folio *)page, mapping);
	else
		mapping = BPF_CORE_READ((struct page *)page, mapping);
	return !mapping;
}

/* Writes that a process holds so much of something; nothing where it is nothing. */
static __always_inline void write_holding(struct seq_file *seq, u32 kind, u32 pid, u64 address, u64 bytes)
{
	struct meminfo_holding h = { .kind = kind, .pid = pid, .address = address, .bytes = bytes };

	if (bytes)
		bpf_seq_write(seq, &h, sizeof(h));
}

#endif
