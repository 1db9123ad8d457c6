/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Pages in a socket's queues: page fragments, which no counter has. A buffer's head is from the slab allocator,
 * unless it is a page fragment too (net/core/skbuff.c, alloc_skb_with_frags(),
 * sk_page_frag_refill()).
 */
#ifndef SWIFTMEM_MEMINFO_SOCKET_H
#define SWIFTMEM_MEMINFO_SOCKET_H

#include "meminfo/holding.h"
#include "vmlinux/net.h"

/* SKB_DATA_ALIGN(): the cache line, which is 64 bytes on x86-64 and arm64 */
#define LINE(size) (((u64)(size) + 63) & ~63ULL)

/* Bytes of a buffer's fragments: its charge less that of its head, SKB_TRUESIZE(). */
static __always_inline u64 buffer_bytes(struct sk_buff *skb)
{
	u64 charged = BPF_CORE_READ(skb, truesize), own = LINE(bpf_core_type_size(struct sk_buff));
	u32 end = BPF_CORE_READ(skb, end);
	void *info = BPF_CORE_READ(skb, head) + end;
	u8 fragments = 0;
	u64 page = 0;

	bpf_probe_read_kernel(&fragments, sizeof(fragments),
			      info + bpf_core_field_offset(struct skb_shared_info, nr_frags));
	if (!BPF_CORE_READ_BITFIELD_PROBED(skb, head_frag)) {
		if (!fragments)
			return 0;
		own += LINE(end) + LINE(bpf_core_type_size(struct skb_shared_info));
	}
	if (fragments) {
		/* sendfile() sends pages of a file: such a buffer has no other fragments */
		bpf_probe_read_kernel(&page, sizeof(page), info + bpf_core_field_offset(struct skb_shared_info, frags));
		if (!is_own_page(page))
			return 0;
	}
	return charged > own ? charged - own : 0;
}

static long look_at_skb(u32 i, struct walk *w)
{
	if (!w->at || w->at == w->base)
		return 1;
	w->own += buffer_bytes((void *)w->at - w->link);
	w->looked++;
	if (bpf_probe_read_kernel(&w->at, sizeof(w->at), (void *)w->at))
		w->at = 0;
	return 0;
}

/*
 * Buffers on a list; `link` is the offset of a buffer's list node. Where the list's length is not known, buffers
 * behind the first `most` are not counted.
 */
static __always_inline u64 list_bytes(u64 head, u64 link, u32 length, bool loops)
{
	u32 most = loops ? LOOKS : LOOKS_UNROLLED;
	struct walk w = { .base = head, .link = link };

	bpf_probe_read_kernel(&w.at, sizeof(w.at), (void *)head);
	look_at(&w, look_at_skb, length && length < most ? length : most, loops);
	return length > w.looked ? scaled(&w, length) : w.own;
}

static __always_inline u64 queue_bytes(struct sk_buff_head *queue, bool loops)
{
	u32 length = BPF_CORE_READ(queue, qlen);

	return length ? list_bytes((u64)queue, 0, length, loops) : 0;
}

static __always_inline u64 socket_bytes(struct sock *sk, bool loops)
{
	u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	u64 bytes = queue_bytes((void *)sk + bpf_core_field_offset(struct sock, sk_receive_queue), loops) +
		    queue_bytes((void *)sk + bpf_core_field_offset(struct sock, sk_write_queue), loops);

	if ((family == AF_INET || family == AF_INET6) && BPF_CORE_READ(sk, sk_type) == SOCK_STREAM &&
	    BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP)
		bytes += list_bytes((u64)sk + bpf_core_field_offset(struct tcp_sock, tsorted_sent_queue),
				    bpf_core_field_offset(struct sk_buff, tcp_tsorted_anchor), 0, loops);
	return bytes;
}

#endif
