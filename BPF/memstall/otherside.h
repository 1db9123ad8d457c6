/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The other side of reclaim: the kernel's own threads on each node, and the caches that reclaim shrinks. */
#ifndef SWIFTMEM_MEMSTALL_OTHERSIDE_H
#define SWIFTMEM_MEMSTALL_OTHERSIDE_H

#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/unpreempted.h"
#include "memstall/pieces.h"
#include "memstall/state.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MEMSTALL_NODES);
	__type(key, u32);
	__type(value, struct memstall_node);
} nodes SEC(".maps");

/* By the address of scan_objects(). */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, MEMSTALL_SHRINKERS);
	__type(key, u64);
	__type(value, struct memstall_shrinker);
} shrinkers SEC(".maps");

static __always_inline void kswapd_round(u32 node, int order)
{
	struct memstall_node *n = bpf_map_lookup_elem(&nodes, &node);
	if (!n)
		return;
	n->kswapd_rounds += 1;
	n->orders[order & (MEMSTALL_ORDERS - 1)] += 1;
}

SEC("tp_btf/mm_compaction_kcompactd_wake")
int UNPREEMPTED(kcompactd_wake_btf, int node)
{
	u32 key = node;
	struct memstall_node *n = bpf_map_lookup_elem(&nodes, &key);

	if (!n)
		return 0;
	n->kcompactd_rounds += 1;
	if (!n->kcompactd_since_ns)
		n->kcompactd_since_ns = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/mm_compaction_kcompactd_sleep")
int UNPREEMPTED(kcompactd_sleep_btf, int node)
{
	u32 key = node;
	struct memstall_node *n = bpf_map_lookup_elem(&nodes, &key);

	if (!n || !n->kcompactd_since_ns)
		return 0;
	n->kcompactd_ns += bpf_ktime_get_ns() - n->kcompactd_since_ns;
	n->kcompactd_since_ns = 0;
	return 0;
}

SEC("tp_btf/mm_shrink_slab_start")
int UNPREEMPTED(shrink_begin_btf)
{
	struct memstall_task *t = current_stall();

	if (t)
		t->shrinks_ns = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/mm_shrink_slab_end")
int UNPREEMPTED(shrink_end_btf, struct shrinker *shrinker, int node, int freed)
{
	struct memstall_task *t = current_stall();
	u64 now = bpf_ktime_get_ns(), address;
	u32 epoch = setting(MEMSTALL_EPOCH);
	union memstall_blank *zeros = blank();

	if (!t || !t->shrinks_ns || !zeros)
		return 0;
	u64 ns = now - t->shrinks_ns;

	t->shrinks_ns = 0;
	address = (u64)BPF_CORE_READ(shrinker, scan_objects);
	struct memstall_shrinker *s = bpf_map_lookup_elem(&shrinkers, &address);

	if (!s) {
		bpf_map_update_elem(&shrinkers, &address, &zeros->shrinker, BPF_NOEXIST);
		s = bpf_map_lookup_elem(&shrinkers, &address);
	}
	if (!s) {
		lost(LOSS_MAP_FULL);
		return 0;
	}
	s->calls += 1;
	s->total_ns += ns;
	if (freed > 0)
		s->freed += freed;
	if (s->epoch[epoch & 1] != epoch) {
		s->epoch[epoch & 1] = epoch;
		s->longest_ns[epoch & 1] = 0;
	}
	if (s->longest_ns[epoch & 1] < ns)
		s->longest_ns[epoch & 1] = ns;
	return 0;
}

#endif
