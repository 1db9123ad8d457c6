// SPDX-License-Identifier: Apache-2.0
//
// How many pages of a file are in the page cache, and making that none or all.
#ifndef SWIFTMEM_RESIDENCY_H
#define SWIFTMEM_RESIDENCY_H
#include "../include/workload.h"
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

enum { SYS_CACHESTAT = 451 }; // the same number on every architecture, since 6.5; glibc has no wrapper

struct residency {
	uint64_t resident_pages;
	bool has_dirty; // cachestat tells, mincore does not
	uint64_t dirty_pages, writeback_pages;
	const char *source;
};

static inline struct residency residency_of(int fd, uint64_t size)
{
	struct {
		uint64_t offset, length;
	} range = { 0, 0 }; // length 0: to the end
	struct {
		uint64_t cache, dirty, writeback, evicted, recently_evicted;
	} stat = { 0 };
	struct statfs fs;
	// cachestat(2) looks at overlayfs' own inode, whose pages are the file's below
	bool overlay = fstatfs(fd, &fs) == 0 && fs.f_type == 0x794c7630;
	if (!overlay && syscall(SYS_CACHESTAT, fd, &range, &stat, 0) == 0)
		return (struct residency){ stat.cache, true, stat.dirty, stat.writeback, "cachestat" };
	struct residency r = { .source = "mincore" };
	if (!size)
		return r;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), pages = (size + page - 1) / page;
	void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	unsigned char *flags = malloc(pages);
	if (map == MAP_FAILED || !flags)
		w_die(W_FAILED, errno, "mincore");
	w_sleep_ms(50); // mincore counts a page only when its read is complete
	if (mincore(map, size, flags) < 0)
		w_die(W_FAILED, errno, "mincore");
	for (uint64_t i = 0; i < pages; i++)
		r.resident_pages += flags[i] & 1;
	munmap(map, size);
	free(flags);
	return r;
}

/// Writes the file back and evicts it; dies with 69 when pages stay (tmpfs, or somebody else has it mapped).
static inline void residency_make_cold(int fd, uint64_t size)
{
	for (int tries = 0; tries < 50; tries++) {
		if (fsync(fd) < 0 && errno != EINVAL) // a read-only file system has none
			w_die(W_FAILED, errno, "fsync");
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		if (residency_of(fd, size).resident_pages == 0)
			return;
		w_sleep_ms(20);
	}
	w_die(W_UNAVAILABLE, 0, "%" PRIu64 " pages of the file can't be evicted (tmpfs?)",
	      residency_of(fd, size).resident_pages);
}

/// Writes the file back and reads it until every page is resident; dies when memory is too small for that.
static inline void residency_make_warm(int fd, uint64_t size)
{
	static char block[1 << 16];
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), pages = (size + page - 1) / page;
	if (fsync(fd) < 0)
		w_die(W_FAILED, errno, "fsync");
	for (int tries = 0; tries < 5; tries++) {
		for (uint64_t at = 0; at < size; at += sizeof block)
			if (pread(fd, block, sizeof block, (off_t)at) < 0)
				w_die(W_FAILED, errno, "read");
		struct residency r = residency_of(fd, size);
		if (r.resident_pages == pages && r.dirty_pages + r.writeback_pages == 0)
			return;
	}
	w_die(W_FAILED, 0, "only %" PRIu64 " of %" PRIu64 " pages stay in the page cache",
	      residency_of(fd, size).resident_pages, pages);
}

#endif
