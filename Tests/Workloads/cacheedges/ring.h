// SPDX-License-Identifier: Apache-2.0
//
// As much of io_uring as reading needs, by its system calls.
#ifndef SWIFTMEM_CACHEEDGES_RING_H
#define SWIFTMEM_CACHEEDGES_RING_H
#include "work.h"
#include <linux/io_uring.h>

#define RING_DEPTH 16

struct ring {
	int fd;
	unsigned *submit_tail, *submit_mask, *submit_array, *done_head, *done_tail, *done_mask;
	struct io_uring_sqe *entries;
	struct io_uring_cqe *done;
	uint64_t length[RING_DEPTH];
};

static inline void *ring_map(int fd, size_t size, off_t what)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);
	if (map == MAP_FAILED)
		w_die(W_FAILED, errno, "mmap of a ring");
	return map;
}

static inline struct ring ring_make(void)
{
	struct io_uring_params p = { 0 };
	struct ring r = { .fd = (int)syscall(SYS_io_uring_setup, RING_DEPTH, &p) };
	if (r.fd < 0)
		w_die(W_UNAVAILABLE, errno, "io_uring_setup");
	char *submit = ring_map(r.fd, p.sq_off.array + p.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
	char *done = ring_map(r.fd, p.cq_off.cqes + p.cq_entries * sizeof *r.done, IORING_OFF_CQ_RING);
	r.entries = ring_map(r.fd, p.sq_entries * sizeof *r.entries, IORING_OFF_SQES);
	r.submit_tail = (unsigned *)(submit + p.sq_off.tail);
	r.submit_mask = (unsigned *)(submit + p.sq_off.ring_mask);
	r.submit_array = (unsigned *)(submit + p.sq_off.array);
	r.done_head = (unsigned *)(done + p.cq_off.head);
	r.done_tail = (unsigned *)(done + p.cq_off.tail);
	r.done_mask = (unsigned *)(done + p.cq_off.ring_mask);
	r.done = (struct io_uring_cqe *)(done + p.cq_off.cqes);
	return r;
}

static inline void ring_read(struct ring *r, unsigned slot, int fd, void *to, uint64_t length, uint64_t at)
{
	unsigned tail = *r->submit_tail, index = tail & *r->submit_mask;
	r->entries[index] = (struct io_uring_sqe){ .opcode = IORING_OP_READ,
						   .fd = fd,
						   .addr = (uintptr_t)to,
						   .len = (unsigned)length,
						   .off = at,
						   .user_data = slot };
	r->submit_array[index] = index;
	r->length[slot] = length;
	__atomic_store_n(r->submit_tail, tail + 1, __ATOMIC_RELEASE);
}

// Submits what was queued, and waits until each of it was read whole.
static inline void ring_run(struct ring *r, unsigned queued)
{
	for (unsigned submitted = 0, done = 0; done < queued;) {
		long n = syscall(SYS_io_uring_enter, r->fd, queued - submitted, queued - done, IORING_ENTER_GETEVENTS,
				 NULL, 0);
		if (n < 0 && errno != EINTR)
			w_die(W_FAILED, errno, "io_uring_enter");
		submitted += n > 0 ? (unsigned)n : 0;
		unsigned head = *r->done_head;
		for (; head != __atomic_load_n(r->done_tail, __ATOMIC_ACQUIRE); head++, done++) {
			struct io_uring_cqe *e = &r->done[head & *r->done_mask];
			if (e->res < 0)
				w_die(W_FAILED, -e->res, "a read by io_uring");
			must(e->res, r->length[e->user_data % RING_DEPTH], "a read by io_uring");
		}
		__atomic_store_n(r->done_head, head, __ATOMIC_RELEASE);
	}
}

#endif
