// SPDX-License-Identifier: Apache-2.0
//
// Pages that were read ahead, and are then written.
#ifndef SWIFTMEM_CACHEEDGES_AHEAD_H
#define SWIFTMEM_CACHEEDGES_AHEAD_H
#include "work.h"

// readahead() until all of the file is there: a call reads no more than the device's limit at a time.
static inline void read_ahead(int fd, uint64_t size)
{
	for (uint64_t at = 0; at < size; at += 1 << 17)
		if (readahead(fd, (off_t)at, 1 << 17) < 0)
			w_die(W_FAILED, errno, "readahead");
	for (int tries = 0; residency_of(fd, size).resident_pages < pages_of(0, size); tries++) {
		if (tries == 100)
			w_die(W_FAILED, 0, "the file is not read ahead whole");
		w_sleep_ms(20);
	}
}

// All is read ahead. A page of each 16 is written, another read, the rest dropped.
static inline void case_ahead_write(void)
{
	int fd = make_file("ahead", opt.size, false);
	char *block = buffer_of(page_size);
	begin();
	read_ahead(fd, opt.size);
	for (uint64_t at = 0; at + 16 * page_size <= opt.size; at += 16 * page_size) {
		must(pwrite(fd, block, page_size, (off_t)(at + 3 * page_size)), page_size, "write");
		must(pread(fd, block, page_size, (off_t)(at + 9 * page_size)), page_size, "read");
		truth.access_pages++;
		truth.used_pages += 2;
		truth.calls += 2;
	}
	residency_make_cold(fd, opt.size);
	truth.miss_pages = pages_of(0, opt.size);
	truth.dropped_pages = truth.miss_pages - truth.used_pages;
}

// One task reads all of it ahead, then writes all of it.
static inline void case_ahead_overwrite(void)
{
	int fd = make_file("overwritten", opt.size, false);
	char *block = buffer_of(opt.bs);
	begin();
	read_ahead(fd, opt.size);
	for (uint64_t at = 0; at < opt.size; at += opt.bs) {
		uint64_t length = opt.size - at < opt.bs ? opt.size - at : opt.bs;
		must(pwrite(fd, block, length, (off_t)at), length, "write");
		truth.calls++;
	}
	truth.miss_pages = truth.dirtied_pages = truth.used_pages = pages_of(0, opt.size);
}

#endif
