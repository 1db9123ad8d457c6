/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Rings that the kernel shares with a process: of packet sockets, perf events, BPF programs. */
#ifndef SWIFTMEM_MEMINFO_RINGS_H
#define SWIFTMEM_MEMINFO_RINGS_H

#include "meminfo/holding.h"
#include "vmlinux/net.h"

static __always_inline u64 distance(u64 a, u64 b)
{
	return a > b ? a - b : b - a;
}

/*
 * net/packet/af_packet.c, alloc_one_pg_vec_page(): a block is pages of one order or, where there are none, from
 * vmalloc(), which has a counter. The address tells the two apart: vmalloc's are near the current stack, pages near
 * the socket, terabytes away.
 */
static long look_at_block(u32 i, struct walk *w)
{
	struct pgv *at = (void *)w->base + (u64)i * w->step * bpf_core_type_size(struct pgv);
	u64 buffer = (u64)BPF_CORE_READ(at, buffer);

	w->looked++;
	w->own += buffer && distance(buffer, w->socket) < distance(buffer, w->stack);
	return 0;
}

static __always_inline u64 packet_ring_bytes(struct packet_ring_buffer *ring, u64 socket, u64 stack, bool loops)
{
	struct walk w = { .base = (u64)BPF_CORE_READ(ring, pg_vec), .socket = socket, .stack = stack };
	u32 count = BPF_CORE_READ(ring, pg_vec_len);

	if (!w.base)
		return 0;
	look_at(&w, look_at_block, count, loops);
	return scaled(&w, count) * (PAGE_SIZE << (BPF_CORE_READ(ring, pg_vec_order) & 31));
}

static __always_inline u64 packet_bytes(struct sock *sk, u64 stack, bool loops)
{
	u64 at = (u64)sk;

	if (!bpf_core_type_exists(struct packet_sock) || BPF_CORE_READ(sk, __sk_common.skc_family) != AF_PACKET)
		return 0;
	return packet_ring_bytes((void *)at + bpf_core_field_offset(struct packet_sock, rx_ring), at, stack, loops) +
	       packet_ring_bytes((void *)at + bpf_core_field_offset(struct packet_sock, tx_ring), at, stack, loops);
}

/* kernel/events/ring_buffer.c: the user page and the pages of data */
static __always_inline u64 perf_ring_pages(struct perf_buffer *ring)
{
	return ring ? 1 + BPF_CORE_READ(ring, nr_pages) + BPF_CORE_READ(ring, aux_nr_pages) : 0;
}

static __always_inline bool is_perf_event(struct file *file)
{
	char name[sizeof("[perf_event]")] = {};

	bpf_probe_read_kernel(name, sizeof(name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
	return !__builtin_memcmp(name, "[perf_event]", sizeof(name));
}

/* kernel/bpf/ringbuf.c, bpf_ringbuf_area_alloc(): pages, mapped by vmap(), which counts none */
static __always_inline u64 bpf_ring_pages(struct bpf_map *map)
{
	u32 type = BPF_CORE_READ(map, map_type);

	if (type != BPF_MAP_TYPE_RINGBUF && type != BPF_MAP_TYPE_USER_RINGBUF)
		return 0;
	struct bpf_ringbuf_map *ring = (void *)map;

	return BPF_CORE_READ(ring, rb, nr_pages);
}

#endif
