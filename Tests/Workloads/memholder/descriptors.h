// SPDX-License-Identifier: Apache-2.0
//
// Memory that the kernel holds for descriptors: rings, pipes, the queues of sockets.
#ifndef SWIFTMEM_MEMHOLDER_DESCRIPTORS_H
#define SWIFTMEM_MEMHOLDER_DESCRIPTORS_H
#include "memory.h"
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/// net/packet/af_packet.c: each block of a ring is pages of one order, which no counter of the kernel's has.
static void ring(struct holder *h)
{
	h->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	if (h->fd < 0)
		w_die(W_UNAVAILABLE, errno, "packet socket");
	unsigned int block = 1 << 16;
	struct tpacket_req request = {
		.tp_block_size = block,
		.tp_block_nr = (unsigned int)(h->bytes / block),
		.tp_frame_size = 1 << 14,
		.tp_frame_nr = (unsigned int)(h->bytes / block) * (block >> 14),
	};
	if (setsockopt(h->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) < 0)
		w_die(W_UNAVAILABLE, errno, "packet ring");
}

/// Descriptors enough for all that is opened.
static int *room(size_t count)
{
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max < count + 16)
		w_die(W_UNAVAILABLE, 0, "%zu descriptors", count);
	return calloc(count, sizeof(int));
}

/// Full pipes: fs/pipe.c, a page a buffer.
static void pipes(struct holder *h)
{
	size_t each = 1 << 20;
	h->fds = room(h->bytes / each * 2);
	char *page = calloc(1, h->page);
	for (; h->count < h->bytes / each * 2; h->count += 2) {
		int *ends = h->fds + h->count;
		if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0)
			w_die(W_UNAVAILABLE, errno, "pipe");
		if (fcntl(ends[1], F_SETPIPE_SZ, (int)each) < 0)
			w_die(W_UNAVAILABLE, errno, "a pipe of 1 MiB");
		for (size_t at = 0; at < each; at += h->page)
			if (write(ends[1], page, h->page) != (ssize_t)h->page)
				w_die(W_FAILED, errno, "write to a pipe");
	}
}

/// Pairs of unix sockets, one end never read. A message of 36 KiB lies in a buffer's head, of the slab allocator, and
/// 32 KiB of page fragments (net/core/sock.c, sock_alloc_send_pskb(), where pages have 4 KiB).
static void sockets(struct holder *h)
{
	if (h->page != 4096)
		w_die(W_UNAVAILABLE, 0, "what fragments a message takes is known of pages of 4 KiB");
	size_t message = 36 << 10, fragments = 32 << 10, count = h->bytes / fragments, each = 32;
	h->fds = room((count / each + 1) * 2);
	char *text = calloc(1, message);
	for (size_t sent = 0; sent < count; sent++) {
		if (sent % each == 0) {
			int size = 64 << 20;
			if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, h->fds + h->count) < 0)
				w_die(W_UNAVAILABLE, errno, "socketpair");
			h->count += 2;
			if (setsockopt(h->fds[h->count - 1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
				w_die(W_UNAVAILABLE, errno, "SO_SNDBUFFORCE");
		}
		if (send(h->fds[h->count - 1], text, message, 0) != (ssize_t)message)
			w_die(W_FAILED, errno, "send");
	}
}

struct uring_parameters {
	uint32_t submissions, completions, flags, rest[7];
	uint64_t offsets[10];
};

/// Rings of io_uring (io_uring/io_uring.c, io_allocate_scq_urings()): 2 MiB of entries each, and the rings themselves.
static void urings(struct holder *h)
{
	size_t each = 2 << 20;
	h->fds = room(h->bytes / each);
	for (; h->count < h->bytes / each; h->count++) {
		struct uring_parameters parameters = { 0 };
		h->fds[h->count] = (int)syscall(SYS_io_uring_setup, 1 << 15, &parameters);
		if (h->fds[h->count] < 0)
			w_die(W_UNAVAILABLE, errno, "io_uring");
	}
}

static void close_all(struct holder *h)
{
	for (size_t i = 0; i < h->count; i++)
		close(h->fds[i]);
	h->count = 0;
}

#endif
