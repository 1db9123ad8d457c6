// SPDX-License-Identifier: Apache-2.0
//
// What the cases share: files of a known content and state, and the truth that each case adds up.
#ifndef SWIFTMEM_CACHEEDGES_WORK_H
#define SWIFTMEM_CACHEEDGES_WORK_H
#include "../include/workload.h"
#include "../pagecache/residency.h"
#include <sys/stat.h>

static struct options {
	const char *name, *directory, *path;
	uint64_t size, bs, count;
	bool wait, hold;
} opt = { .directory = "." };

// What the case did to its file (or files), in pages.
static struct truth {
	const char *path; // of the one file that the case is about
	uint64_t inode;
	uint64_t access_pages, fault_pages, miss_pages, dirtied_pages, used_pages, dropped_pages;
	uint64_t calls;
} truth;

static uint64_t page_size;

static inline uint64_t pages_of(uint64_t offset, uint64_t length)
{
	return length ? (offset + length - 1) / page_size - offset / page_size + 1 : 0;
}

static inline void *buffer_of(uint64_t bytes)
{
	void *buffer;
	if (posix_memalign(&buffer, page_size, bytes))
		w_die(W_FAILED, ENOMEM, "a buffer of %" PRIu64 " bytes", bytes);
	memset(buffer, 0x3c, bytes);
	return buffer;
}

static inline void must(ssize_t n, uint64_t wanted, const char *what)
{
	if (n != (ssize_t)wanted)
		w_die(W_FAILED, n < 0 ? errno : 0, "%s: %zd of %" PRIu64 " bytes", what, n, wanted);
}

// A file of `size` bytes that is removed at the end; in the cache whole, or not at all.
static inline int make_file(const char *name, uint64_t size, bool warm)
{
	char *path;
	if (asprintf(&path, "%s/swiftmem-cacheedges-%d-%s", opt.directory, (int)getpid(), name) < 0)
		w_die(W_FAILED, ENOMEM, "a path");
	w_undo_path(W_UNDO_FILE, path);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		w_die(W_FAILED, errno, "%s", path);
	char *block = buffer_of(1 << 20);
	for (uint64_t at = 0; at < size; at += 1 << 20) {
		uint64_t length = size - at < 1 << 20 ? size - at : 1 << 20;
		must(write(fd, block, length), length, "making the file");
	}
	free(block);
	residency_make_cold(fd, size);
	if (warm) { // without marks of readahead, whose pages fault-around passes over
		posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
		residency_make_warm(fd, size);
		posix_fadvise(fd, 0, 0, POSIX_FADV_NORMAL);
	}
	struct stat s;
	if (fstat(fd, &s) < 0)
		w_die(W_FAILED, errno, "fstat");
	truth.path = path;
	truth.inode = s.st_ino;
	return fd;
}

// The case is ready: nothing is traced before this returns.
static inline void begin(void)
{
	w_wait(opt.wait, NULL, 0);
}

#endif
