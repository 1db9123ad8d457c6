/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Kernel stacks: unwound by the kernel, kept once each in a table keyed by a 64-bit
 * hash of all frames and of whose memory it is, so that stacks neither overwrite
 * each other nor share an entry.
 *
 * Nothing here allocates, for the programs stand in the allocator: the table's room
 * is taken when it is made.
 */
#ifndef SWIFTMEM_KERNEL_STACK_H
#define SWIFTMEM_KERNEL_STACK_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "loss.h"
#include "kernelleak.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, struct kstack_record);
} stacks SEC(".maps");

static __always_inline u64 kstack_mix(u64 hash, u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ (hash >> 29);
}

/*
 * Captures the current stack into `record`, whose kind and cache are set. Returns
 * its hash, 0 where there is none.
 */
static __always_inline u64 kstack_capture(void *ctx, struct kstack_record *record)
{
	long bytes = bpf_get_stack(ctx, record->frames, sizeof(record->frames), 0);

	if (bytes <= 0)
		return 0;
	u32 count = bytes / sizeof(u64);
	u64 hash = kstack_mix(kstack_mix(0x6b6d656d, record->kind), record->cache);

	for (u32 i = 0; i < KSTACK_FRAMES; i++) {
		if (i >= count)
			break;
		hash = kstack_mix(hash, record->frames[i]);
	}
	record->count = count;
	record->flags = count >= KSTACK_FRAMES ? KSTACK_CUT : 0;
	return hash ? hash : 1;
}

#endif
