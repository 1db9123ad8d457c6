/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What BPF/pagecache/readahead.h counts, in pages of 4 KiB; only ever growing. */
#ifndef SWIFTMEM_READAHEAD_COUNTERS_H
#define SWIFTMEM_READAHEAD_COUNTERS_H

#include <linux/types.h>

struct readahead_counters {
	__u64 used_pages; /* brought in and accessed for the first time, demanded ones too */
	__u64 dropped_pages; /* brought in and removed without having been accessed */
};

_Static_assert(sizeof(struct readahead_counters) == 16, "readahead_counters is shared with Swift");

#endif
