/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Sampling by bytes: sample points lie along the stream of allocated bytes, at random
 * distances; an allocation is recorded when one falls on it. Distances are drawn from
 * a table of the exponential distribution's quantiles, which knows no past: how far it
 * is to the next point does not depend on where the last one was.
 *
 * Each CPU counts its own stream. A program that is preempted here at worst draws twice.
 */
#ifndef SWIFTMEM_BYTE_SAMPLING_H
#define SWIFTMEM_BYTE_SAMPLING_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "memleak.h"

/* Quantiles of the distances, bytes; user space fills them in. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SAMPLE_GAPS);
	__type(key, u32);
	__type(value, u64);
} sample_gaps SEC(".maps");

/* Bytes to the next point; 0: none was drawn yet. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} sample_left SEC(".maps");

static __always_inline u64 next_gap(void)
{
	u32 index = bpf_get_prandom_u32() % SAMPLE_GAPS;
	u64 *gap = bpf_map_lookup_elem(&sample_gaps, &index);

	return gap && *gap ? *gap : 1;
}

/* Does a point fall on the next `size` bytes? */
static __always_inline bool bytes_sampled(u64 size)
{
	u32 zero = 0;
	u64 *left = bpf_map_lookup_elem(&sample_left, &zero);

	if (!left)
		return true;
	u64 now = *left ? *left : next_gap();

	if (!size)
		size = 1;
	if (size < now) {
		*left = now - size;
		return false;
	}
	*left = next_gap();
	return true;
}

#endif
