/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* cachestat: the page cache's accounting, summed over all files and tasks. */
#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define COUNT(counter, pages) ((counter) += (pages))
#include "pagecache/pagecache.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct pagecache_counters);
} counters SEC(".maps");

static __always_inline struct pagecache_counters *counters_of(struct address_space *mapping)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}
