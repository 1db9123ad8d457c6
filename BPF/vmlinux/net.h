/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Sockets, the buffers that wait in their queues, packet sockets' rings. core.h says how to declare. */
#ifndef SWIFTMEM_VMLINUX_NET_H
#define SWIFTMEM_VMLINUX_NET_H

#include "vmlinux/core.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/linux/skbuff.h */
struct sk_buff {
	struct sk_buff *next;
	struct list_head tcp_tsorted_anchor;
	u8 head_frag : 1;
	unsigned int end; /* an offset from head on 64-bit machines */
	unsigned char *head;
	unsigned int truesize;
};

struct sk_buff_head {
	struct sk_buff *next;
	u32 qlen;
};

/* Its first field is the page, with a bit that says otherwise; named bio_vec until 6.8. */
struct skb_frag {
	unsigned long first;
};

struct skb_shared_info {
	u8 nr_frags;
	struct skb_frag frags[17];
};

/* include/net/sock.h */
struct sock_common {
	unsigned short skc_family;
};

struct sock {
	struct sock_common __sk_common;
	struct sk_buff_head sk_receive_queue;
	struct sk_buff_head sk_write_queue;
	u16 sk_type;
	u16 sk_protocol;
};

/* include/linux/net.h */
struct socket {
	struct sock *sk;
};

/* include/linux/tcp.h */
struct tcp_sock {
	struct list_head tsorted_sent_queue; /* sent, and not acknowledged */
};

/* net/packet/internal.h */
struct pgv {
	char *buffer;
};

struct packet_ring_buffer {
	struct pgv *pg_vec;
	unsigned int pg_vec_order;
	unsigned int pg_vec_len;
};

struct packet_sock {
	struct packet_ring_buffer rx_ring, tx_ring;
};

#pragma clang attribute pop

/* include/linux/socket.h, include/uapi/linux/in.h, include/linux/net.h */
#define AF_INET 2
#define AF_INET6 10
#define AF_PACKET 17
#define IPPROTO_TCP 6
#define SOCK_STREAM 1

#endif
