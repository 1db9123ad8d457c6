// SPDX-License-Identifier: Apache-2.0
//
// Reads that don't lie on pages, end at a file's end, or are not made by read().
#ifndef SWIFTMEM_CACHEEDGES_READS_H
#define SWIFTMEM_CACHEEDGES_READS_H
#include "ring.h"
#include "work.h"
#include <ftw.h>
#include <sys/sendfile.h>

static char **tree;
static uint64_t tree_count;

static inline int tree_add(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)where;
	if (kind != FTW_F || !S_ISREG(status->st_mode))
		return 0;
	if (tree_count % 1024 == 0 && !(tree = realloc(tree, (tree_count + 1024) * sizeof *tree)))
		w_die(W_FAILED, ENOMEM, "the list of files");
	if (!(tree[tree_count++] = strdup(path)))
		w_die(W_FAILED, ENOMEM, "the list of files");
	return 0;
}

// As tar, grep and the like read: every file of a directory in blocks, until nothing comes.
static inline void case_walk(void)
{
	if (!opt.path)
		w_die(W_USAGE, 0, "--case walk needs --path DIRECTORY");
	if (nftw(opt.path, tree_add, 64, FTW_PHYS) < 0 || !tree_count)
		w_die(W_FAILED, errno, "%s: no files", opt.path);
	char *block = buffer_of(opt.bs);
	for (uint64_t i = 0; i < tree_count; i++) {
		int fd = open(tree[i], O_RDONLY | O_CLOEXEC);
		struct stat s;
		if (fd < 0 || fstat(fd, &s) < 0)
			w_die(W_FAILED, errno, "%s", tree[i]);
		residency_make_cold(fd, (uint64_t)s.st_size);
		close(fd);
	}
	begin();
	for (uint64_t pass = 0; pass < opt.count; pass++)
		for (uint64_t i = 0; i < tree_count; i++) {
			int fd = open(tree[i], O_RDONLY | O_CLOEXEC);
			if (fd < 0)
				w_die(W_FAILED, errno, "%s", tree[i]);
			uint64_t at = 0;
			ssize_t n;
			while ((n = read(fd, block, opt.bs)) > 0) {
				truth.access_pages += pages_of(at, (uint64_t)n);
				at += (uint64_t)n;
				truth.calls++;
			}
			if (n < 0)
				w_die(W_FAILED, errno, "%s", tree[i]);
			if (pass == 0)
				truth.miss_pages += pages_of(0, at);
			close(fd);
		}
}

// A page by splice(), then a large read of what is no file: the kernel counts the bytes of the one, not of the other.
static inline void case_splice_mixed(void)
{
	int fd = make_file("spliced", opt.count * page_size, true), pipes[2];
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC), sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (pipe2(pipes, O_CLOEXEC) < 0 || zero < 0 || sink < 0)
		w_die(W_FAILED, errno, "pipe");
	char *block = buffer_of(opt.bs);
	begin();
	for (uint64_t i = 0; i < opt.count; i++) {
		loff_t at = (loff_t)(i * page_size);
		must(splice(fd, &at, pipes[1], NULL, page_size, 0), page_size, "splice");
		must(splice(pipes[0], NULL, sink, NULL, page_size, 0), page_size, "splice to /dev/null");
		must(read(zero, block, opt.bs), opt.bs, "read");
		truth.access_pages++;
		truth.calls++;
	}
}

// The same two halves of a file by splice(), the second again: each call ends at the same page.
static inline void case_splice_overlap(void)
{
	uint64_t half = 8 * page_size;
	int fd = make_file("overlapped", 2 * half, true), pipes[2], sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (pipe2(pipes, O_CLOEXEC) < 0 || sink < 0)
		w_die(W_FAILED, errno, "pipe");
	begin();
	for (uint64_t i = 0; i < opt.count; i++)
		for (uint64_t from = 0; from <= half; from += half) {
			loff_t at = (loff_t)from;
			uint64_t length = 2 * half - from;
			must(splice(fd, &at, pipes[1], NULL, length, 0), length, "splice");
			must(splice(pipes[0], NULL, sink, NULL, length, 0), length, "splice to /dev/null");
			truth.access_pages += pages_of(from, length);
			truth.calls++;
		}
}

// sendfile() of a cold file: it goes through a pipe, piece by piece.
static inline void case_sendfile(void)
{
	int fd = make_file("sent", opt.size, false), sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (sink < 0)
		w_die(W_FAILED, errno, "/dev/null");
	begin();
	for (uint64_t at = 0; at < opt.size; at += opt.bs) {
		off_t from = (off_t)at;
		uint64_t length = opt.size - at < opt.bs ? opt.size - at : opt.bs;
		must(sendfile(sink, fd, &from, length), length, "sendfile");
		truth.access_pages += pages_of(at, length);
		truth.calls++;
	}
	truth.miss_pages = pages_of(0, opt.size);
}

// Reads by io_uring, many at a time, of a cold file.
static inline void case_uring(void)
{
	int fd = make_file("ring", opt.size, false);
	struct ring ring = ring_make();
	char *block = buffer_of(RING_DEPTH * opt.bs);
	begin();
	for (uint64_t at = 0; at < opt.size;) {
		unsigned queued = 0;
		for (; queued < RING_DEPTH && at < opt.size; queued++, at += opt.bs) {
			uint64_t length = opt.size - at < opt.bs ? opt.size - at : opt.bs;
			ring_read(&ring, queued, fd, block + queued * opt.bs, length, at);
			truth.access_pages += pages_of(at, length);
			truth.calls++;
		}
		ring_run(&ring, queued);
	}
	truth.miss_pages = pages_of(0, opt.size);
}

#endif
