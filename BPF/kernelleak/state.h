/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the programs keep: the blocks that are not freed, their sums by stack, the
 * counters, and the events of a trace. All maps have their room from the start, for nothing in
 * the allocator's programs may allocate.
 */
#ifndef SWIFTMEM_KERNELLEAK_STATE_H
#define SWIFTMEM_KERNELLEAK_STATE_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "lib/loss.h"
#include "kernelleak.h"

const volatile struct kernelleak_config config SEC(".rodata.config") = {};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, u64);
	__type(value, struct kernelleak_block);
} blocks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, struct memleak_total);
} totals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct kernelleak_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct kernelleak_sampling);
} sampling SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} events SEC(".maps");

/* Adds 1 to the counter at this offset of the counters. */
static __always_inline void count(u32 offset)
{
	u32 zero = 0;
	void *all = bpf_map_lookup_elem(&counters, &zero);

	if (all)
		__atomic_fetch_add((u64 *)(all + offset), 1, __ATOMIC_RELAXED);
}

#define COUNTER(name) __builtin_offsetof(struct kernelleak_counters, name)
#define COUNT(name) count(COUNTER(name))

/* ZERO_SIZE_PTR, which kmalloc(0) gives, is 16. */
#define IS_MEMORY(address) ((address) > 16)

static __always_inline u32 current_pid(void)
{
	return bpf_get_current_pid_tgid() >> 32;
}

/* An event for `memleak --trace`, which has one for each call. */
static __always_inline void send_event(u32 op, u64 address, u64 size, bool recorded)
{
	struct memleak_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		lost(LOSS_RING_FULL);
		return;
	}
	u64 id = bpf_get_current_pid_tgid();

	__builtin_memset(event, 0, sizeof(*event));
	event->kind = MEMLEAK_TRACED;
	event->op = op;
	event->pid = id >> 32;
	event->tid = (u32)id;
	event->time_ns = bpf_ktime_get_ns();
	event->address = address;
	event->result = address;
	event->length = size;
	event->recorded = recorded;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	bpf_ringbuf_submit(event, 0);
}

#endif
