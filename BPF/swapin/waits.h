/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The time that page faults on swap take. */
#ifndef SWIFTMEM_SWAPIN_WAITS_H
#define SWIFTMEM_SWAPIN_WAITS_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "swapin/process.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SWAPIN_SLOTS);
	__type(key, u32);
	__type(value, u64);
} wait_slots SEC(".maps");

/* The number of the interval, which user space advances. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} interval SEC(".maps");

static __always_inline void count_wait(u64 ns)
{
	struct swapin_counters *c = current_process();
	u32 zero = 0, slot = 0;

	if (!c)
		return;
	c->waits += 1;
	c->wait_ns += ns;
	u32 *now = bpf_map_lookup_elem(&interval, &zero);
	u32 epoch = now ? *now : 0;

	if (c->epoch[epoch & 1] != epoch) {
		c->epoch[epoch & 1] = epoch;
		c->longest_ns[epoch & 1] = 0;
	}
	if (c->longest_ns[epoch & 1] < ns)
		c->longest_ns[epoch & 1] = ns;
	for (u64 us = ns / 1000; us > 1 && slot < SWAPIN_SLOTS - 1; us >>= 1)
		slot++;
	u64 *count = bpf_map_lookup_elem(&wait_slots, &slot);

	if (count)
		*count += 1;
}

#endif
