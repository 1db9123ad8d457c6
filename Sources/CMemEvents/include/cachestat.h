/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What BPF/cachestat.bpf.c counts, per CPU, in pages of 4 KiB; only ever growing. */
#ifndef SWIFTMEM_CACHESTAT_H
#define SWIFTMEM_CACHESTAT_H

#include <linux/types.h>

struct cachestat_counters {
	__u64 read_access_pages;  /* asked for by buffered reads */
	__u64 fault_access_pages; /* mapped by page faults and fault-around */
	__u64 inserted_pages;	  /* brought into the cache */
	__u64 write_alloc_pages;  /* of these, created by a write: not read misses */
	__u64 dirtied_pages;	  /* clean to dirty */
};

_Static_assert(sizeof(struct cachestat_counters) == 40, "cachestat_counters is shared with Swift");

#endif
