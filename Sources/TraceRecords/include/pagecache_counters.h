/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What BPF/pagecache/pagecache.h counts, in the kernel's pages; only ever growing. */
#ifndef SWIFTMEM_PAGECACHE_COUNTERS_H
#define SWIFTMEM_PAGECACHE_COUNTERS_H

#include <linux/types.h>

struct pagecache_counters {
	__u64 read_access_pages; /* asked for by buffered reads */
	__u64 fault_access_pages; /* mapped by page faults and fault-around */
	__u64 inserted_pages; /* brought into the cache */
	__u64 write_alloc_pages; /* of these, created by a write: not read misses */
	__u64 demanded_pages; /* of these, the ones a read or a fault asked for */
	__u64 dirtied_pages; /* clean to dirty */
	__u64 removed_pages; /* taken out of the cache: reclaimed, truncated, dropped */
};

_Static_assert(sizeof(struct pagecache_counters) == 56, "pagecache_counters is shared with Swift");

/* What BPF/pagecache/readahead.h counts, in the kernel's pages; only ever growing. */
struct readahead_counters {
	__u64 used_pages; /* brought in and accessed for the first time, demanded ones too */
	__u64 dropped_pages; /* brought in and removed without having been accessed */
};

_Static_assert(sizeof(struct readahead_counters) == 16, "readahead_counters is shared with Swift");

#endif
