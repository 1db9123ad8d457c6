/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a program could not record, by cause, per CPU: user space sums the
 * slots and shows every cause that is not zero. The names are LOSS_* in
 * loss_causes.h, which Swift imports.
 */
#ifndef SWIFTMEM_LOSS_H
#define SWIFTMEM_LOSS_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "loss_causes.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LOSS_CAUSES);
	__type(key, u32);
	__type(value, u64);
} losses SEC(".maps");

static __always_inline void lost(u32 cause)
{
	u64 *slot = bpf_map_lookup_elem(&losses, &cause);

	if (slot)
		*slot += 1;
}

#endif
