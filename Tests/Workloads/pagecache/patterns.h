// SPDX-License-Identifier: Apache-2.0
//
// The access patterns. Each does nothing but its system calls (or touches), and counts the pages these overlap.
#ifndef SWIFTMEM_PATTERNS_H
#define SWIFTMEM_PATTERNS_H
#include "../include/workload.h"
#include <sys/mman.h>
#include <sys/sendfile.h>

enum kind { READ, WRITE, MAP, DIRECT };

struct work {
	int fd, sink, pipe[2]; // sink: /dev/null of splice and sendfile
	uint64_t size, bs, count, times, page;
	uint64_t block; // of the file system, which reads no more than that for a partial write
	uint32_t *order; // of blocks (rand-read) or pages (mmap-rand)
	char *buffer; // bs bytes, present
	volatile const char *map;
	unsigned char *touched; // one byte a page, present
	uint64_t access_pages, calls, bytes; // what was done
	uint64_t partial_pages; // pages whose first touch left a part of a block as it was
};

static inline void touched(struct work *w, uint64_t offset, uint64_t length)
{
	uint64_t first = offset / w->page, last = (offset + length - 1) / w->page;
	w->access_pages += last - first + 1;
	w->bytes += length;
	w->calls++;
	if (offset % w->block && !w->touched[first])
		w->partial_pages++;
	if ((offset + length) % w->block && !w->touched[last] && (last != first || offset % w->block == 0))
		w->partial_pages++;
	memset(w->touched + first, 1, last - first + 1);
}

// A transfer must be whole; what it was of is in `what`.
static inline void whole(ssize_t n, uint64_t wanted, const char *what)
{
	if (n != (ssize_t)wanted)
		w_die(W_FAILED, n < 0 ? errno : 0, "%s: %zd of %" PRIu64 " bytes", what, n, wanted);
}

static inline uint64_t block_at(const struct work *w, uint64_t offset)
{
	return w->size - offset < w->bs ? w->size - offset : w->bs;
}

static inline void do_seq_read(struct work *w)
{
	for (uint64_t n = 0; n < w->times; n++)
		for (uint64_t at = 0; at < w->size; at += w->bs) {
			uint64_t length = block_at(w, at);
			whole(pread(w->fd, w->buffer, length, (off_t)at), length, "read");
			touched(w, at, length);
		}
}

// Four blocks in a row, then far away: the kernel has read ahead, and nobody comes for it.
static inline void do_stray_read(struct work *w)
{
	for (uint64_t start = 0; start + 4 * w->bs <= w->size; start += 4 << 20)
		for (uint64_t at = start; at < start + 4 * w->bs; at += w->bs) {
			whole(pread(w->fd, w->buffer, w->bs, (off_t)at), w->bs, "read");
			touched(w, at, w->bs);
		}
}

// A block smaller than a page is read at the start of a page of its own.
static inline void do_rand_read(struct work *w)
{
	uint64_t step = w->bs < w->page ? w->page : w->bs;
	for (uint64_t i = 0; i < w->count; i++) {
		uint64_t at = w->order[i] * step;
		whole(pread(w->fd, w->buffer, w->bs, (off_t)at), w->bs, "read");
		touched(w, at, w->bs);
	}
}

static inline void do_map(struct work *w)
{
	for (uint64_t i = 0; i < w->count; i++) {
		uint64_t at = w->order[i] * w->page;
		(void)w->map[at];
		touched(w, at, 1);
	}
}

static inline void do_write(struct work *w, uint64_t from)
{
	for (uint64_t at = 0; at < w->size; at += w->bs) {
		uint64_t length = block_at(w, at);
		whole(pwrite(w->fd, w->buffer, length, (off_t)(from + at)), length, "write");
		touched(w, from + at, length);
	}
}

static inline void do_append(struct work *w, uint64_t from)
{ // the descriptor is O_APPEND
	for (uint64_t at = 0; at < w->size; at += w->bs) {
		uint64_t length = block_at(w, at);
		whole(write(w->fd, w->buffer, length), length, "append");
		touched(w, from + at, length);
	}
}

static inline void do_splice(struct work *w)
{
	loff_t at = 0;
	while ((uint64_t)at < w->size) {
		uint64_t from = (uint64_t)at;
		ssize_t n = splice(w->fd, &at, w->pipe[1], NULL, block_at(w, from), 0);
		if (n <= 0)
			w_die(W_FAILED, n < 0 ? errno : 0, "splice");
		touched(w, from, (uint64_t)n);
		for (ssize_t left = n, out; left; left -= out) {
			out = splice(w->pipe[0], NULL, w->sink, NULL, (size_t)left, 0);
			if (out <= 0)
				w_die(W_FAILED, out < 0 ? errno : 0, "splice to /dev/null");
		}
	}
}

static inline void do_sendfile(struct work *w)
{
	off_t at = 0;
	while ((uint64_t)at < w->size) {
		uint64_t from = (uint64_t)at;
		ssize_t n = sendfile(w->sink, w->fd, &at, block_at(w, from));
		if (n <= 0)
			w_die(W_FAILED, n < 0 ? errno : 0, "sendfile");
		touched(w, from, (uint64_t)n);
	}
}

#endif
