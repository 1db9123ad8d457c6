// SPDX-License-Identifier: Apache-2.0
//
// Writes to private mappings: the page is copied, nothing of the file is mapped.
#ifndef SWIFTMEM_CACHEEDGES_MAPS_H
#define SWIFTMEM_CACHEEDGES_MAPS_H
#include "work.h"
#include <sys/wait.h>

static inline volatile char *map_privately(int fd, uint64_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		w_die(W_FAILED, errno, "mmap");
	return map;
}

// One write to each page.
static inline void case_private_write(void)
{
	volatile char *map = map_privately(make_file("copied", opt.count * page_size, true), opt.count * page_size);
	begin();
	for (uint64_t i = 0; i < opt.count; i++)
		map[i * page_size] = 1;
	truth.fault_pages = opt.count;
}

// Children that each write to one page, and then touch a page of another file that none of them has mapped yet.
static inline void case_private_children(void)
{
	volatile char *other =
		mmap(NULL, 64 * page_size, PROT_READ, MAP_SHARED, make_file("other", 64 * page_size, true), 0);
	volatile char *map = map_privately(make_file("copied", page_size, true), page_size);
	if (other == MAP_FAILED)
		w_die(W_FAILED, errno, "mmap");
	pid_t parent = getpid();
	begin();
	for (uint64_t i = 0; i < opt.count; i++) {
		pid_t pid = fork();
		int status;
		if (pid < 0)
			w_die(W_FAILED, errno, "fork");
		if (pid == 0) {
			w_die_with(parent);
			map[0] = 1;
			(void)other[0];
			_exit(0);
		}
		while (waitpid(pid, &status, 0) < 0)
			if (errno != EINTR)
				w_die(W_FAILED, errno, "wait");
		if (status)
			w_die(W_FAILED, 0, "a child failed");
	}
	truth.fault_pages = opt.count;
}

#endif
