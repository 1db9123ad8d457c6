// SPDX-License-Identifier: Apache-2.0
//
// What is there before a pattern runs: the file in its known state, its cgroup, descriptors, buffers, the order of blocks.
#ifndef SWIFTMEM_PAGECACHE_PREPARE_H
#define SWIFTMEM_PAGECACHE_PREPARE_H
#include "../include/memcg.h"
#include "options.h"
#include "residency.h"
#include <sys/statvfs.h>

// Makes the file of `size` bytes, in memory order, nothing of it sparse.
static void fill(int fd, uint64_t size)
{
	static char block[1 << 20];
	memset(block, 0xa5, sizeof block);
	for (uint64_t at = 0; at < size; at += sizeof block)
		whole(write(fd, block, sizeof block), sizeof block, "making the file");
}

// Makes the file, and brings it to its state. Returns a descriptor that outlives the pattern's own.
static int make_file(struct work *w, const char *path, uint64_t made)
{
	int keep = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (keep < 0)
		w_die(W_FAILED, errno, "%s", path);
	fill(keep, made);
	if (opt.warm)
		residency_make_warm(keep, made);
	else
		residency_make_cold(keep, made);

	struct statvfs fs;
	w->block = fstatvfs(keep, &fs) == 0 && fs.f_bsize && fs.f_bsize < w->page ? fs.f_bsize : w->page;
	return keep;
}

static void enter_cgroup(struct memcg *cg)
{
	uint64_t limit = opt.limit ? opt.limit : opt.size / 4 < (8 << 20) ? 8 << 20 : opt.size / 4;
	if (limit >= opt.size)
		w_die(W_USAGE, 0, "bigger-than-memory: the file (%" PRIu64 " MB) is to be bigger than the limit",
		      opt.size >> 20);
	memcg_make(cg, "cache", limit, false);
	memcg_enter(cg); // the parent stays behind to clean up
}

// Pages of the file at the end.
static uint64_t file_pages_of(const struct work *w)
{
	return (opt.size * (is("append") ? 2 : 1) + w->page - 1) / w->page;
}

// What the pattern needs, all of it before the measured phase.
static void prepare(struct work *w, const struct pattern *pattern, const char *path)
{
	int flags = O_CLOEXEC | (pattern->kind == WRITE ? O_RDWR : O_RDONLY) | (is("append") ? O_APPEND : 0) |
		    (pattern->kind == DIRECT ? O_DIRECT : 0);
	w->fd = open(path, flags);
	if (w->fd < 0)
		w_die(pattern->kind == DIRECT && errno == EINVAL ? W_UNAVAILABLE : W_FAILED, errno, "%s", path);
	if (opt.random_hint && (errno = posix_fadvise(w->fd, 0, 0, POSIX_FADV_RANDOM)))
		w_die(W_FAILED, errno, "POSIX_FADV_RANDOM");
	const uint64_t file_pages = file_pages_of(w);
	w->touched = malloc(file_pages);
	if (posix_memalign((void **)&w->buffer, 4096 > w->page ? 4096 : w->page, w->bs) || !w->touched)
		w_die(W_FAILED, ENOMEM, "buffers");
	memset(w->buffer, 0x3c, w->bs);
	memset(w->touched, 0, file_pages);
	if (is("rand-read")) {
		uint64_t blocks = opt.size / (w->bs < w->page ? w->page : w->bs);
		if (w->bs > w->page && w->bs % w->page)
			w_die(W_USAGE, 0,
			      "rand-read: --bs is to divide a page or be whole pages, as each page is read at most once");
		w->count = opt.count ? opt.count : 1000;
		if (w->count > blocks)
			w->count = blocks;
		w->order = w_permutation(blocks, opt.seed);
	} else if (pattern->kind == MAP) {
		uint64_t pages = opt.size / w->page;
		w->count = is("mmap-seq") ? pages : opt.count ? opt.count : 1000;
		if (w->count > pages)
			w->count = pages;
		w->order = w_permutation(pages, is("mmap-seq") ? 0 : opt.seed);
		void *map = mmap(NULL, opt.size, PROT_READ, MAP_SHARED, w->fd, 0);
		if (map == MAP_FAILED || (opt.random_hint && madvise(map, opt.size, MADV_RANDOM) < 0))
			w_die(W_FAILED, errno, "mmap");
		w->map = map;
	} else if (is("splice")) {
		if (pipe2(w->pipe, O_CLOEXEC) < 0)
			w_die(W_FAILED, errno, "pipe");
		fcntl(w->pipe[1], F_SETPIPE_SZ, 1 << 20);
	}
	if ((w->sink = open("/dev/null", O_WRONLY | O_CLOEXEC)) < 0)
		w_die(W_FAILED, errno, "/dev/null");
}

#endif
