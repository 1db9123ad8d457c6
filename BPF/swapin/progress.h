/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What a thread is in the middle of: reading a folio from swap, or serving a page fault. */
#ifndef SWIFTMEM_SWAPIN_PROGRESS_H
#define SWIFTMEM_SWAPIN_PROGRESS_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "lib/loss.h"
#include "swapin.h"

const volatile struct swapin_config config SEC(".rodata.config") = {};

/* What a thread is in the middle of. */
struct progress {
	u64 fault_ns; /* do_swap_page() was entered, 0: it was not */
	u64 earlier_ns; /* its rounds before that ended with a retry */
	u32 reading; /* pages of the folio being read */
	u32 zswap; /* of it: 0 not asked, 1 does not have it, 2 has it */
	u32 reads; /* pages read since the last major fault */
	u32 padding;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, struct progress);
} threads SEC(".maps");

static __always_inline struct progress *current_progress(bool create)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct progress *p = bpf_map_lookup_elem(&threads, &tid);

	if (!p && create) {
		struct progress none = {};

		bpf_map_update_elem(&threads, &tid, &none, BPF_ANY);
		p = bpf_map_lookup_elem(&threads, &tid);
		if (!p)
			lost(LOSS_TASK_STATE);
	}
	return p;
}

static __always_inline void forget_progress(void)
{
	u32 tid = bpf_get_current_pid_tgid();

	bpf_map_delete_elem(&threads, &tid);
}

#endif
