/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Pages that go to swap, by the process that owns their address space: whoever's reclaim it is. */
#ifndef SWIFTMEM_SWAPIN_SWAPPED_OUT_H
#define SWIFTMEM_SWAPIN_SWAPPED_OUT_H

#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "swapin/process.h"

static __always_inline void swapped_out(struct mm_struct *mm, u64 pages)
{
	struct task_struct *owner = NULL;

	if (bpf_core_field_exists(mm->owner))
		owner = BPF_CORE_READ(mm, owner);
	struct swapin_counters *c = owner ? process_of(owner) : NULL;

	if (c)
		c->swapout_pages += pages;
}

#endif
