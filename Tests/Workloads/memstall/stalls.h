// SPDX-License-Identifier: Apache-2.0
//
// One way of waiting for memory a function, until the deadline.
#ifndef SWIFTMEM_MEMSTALL_STALLS_H
#define SWIFTMEM_MEMSTALL_STALLS_H
#include "cgroups.h"
#include "options.h"
#include <sys/mman.h>
#include <sys/wait.h>

static uint64_t page, deadline, touched, passes;

static bool go_on(void)
{
	return w_now_ns(CLOCK_MONOTONIC) < deadline;
}

// Anonymous memory, a word a page, over and over; a function of its own, which stacks name.
__attribute__((noinline)) static void touch_anonymous(char *memory)
{
	uint64_t seed = 1;
	// once through at least where nothing but the machine sets a limit: a slow one comes to it late
	for (; go_on(); passes++)
		for (uint64_t i = 0; i < opt.bytes && (go_on() || (!opt.limit && !passes)); i += page, touched++) {
			uint64_t *words = (void *)(memory + i);
			// not one word for all: that a page is the same all over is seen, and nothing is stored
			for (uint64_t k = 0; k < page / 8; k += 16)
				words[k] = w_random(&seed);
		}
}

// A file's pages, each twice, so that what is evicted has been of the working set.
static void read_file(int fd)
{
	static char block[1 << 16];
	for (; go_on(); passes++)
		for (uint64_t i = 0; i < opt.bytes && go_on(); i += sizeof block, touched += 2 * sizeof block / page)
			for (int k = 0; k < 2; k++)
				if (pread(fd, block, sizeof block, (off_t)i) != sizeof block)
					w_die(W_FAILED, errno, "read of the file");
}

static void write_file(int fd)
{
	static char block[1 << 16];
	memset(block, 1, sizeof block);
	for (; go_on(); passes++)
		for (uint64_t i = 0; i < opt.bytes && go_on(); i += sizeof block, touched += sizeof block / page)
			if (pwrite(fd, block, sizeof block, (off_t)i) != sizeof block)
				w_die(W_FAILED, errno, "write of the file");
}

// Beyond memory.high a page at a time: the kernel lets it go on slower and slower.
static void exceed_high(char *memory)
{
	for (uint64_t i = 0; i < opt.bytes && go_on(); i += page, touched++)
		memory[i] = 1;
	passes = 1;
}

// Every other page of the memory goes back: the machine has room, and no huge page. kcompactd is told to leave it so.
static void fragment(char *memory)
{
	static const char file[] = "/proc/sys/vm/compaction_proactiveness";
	char before[32] = "";
	if (w_read_file(file, before, sizeof before) > 0) {
		w_undo_write(file, before);
		w_write_file(file, "0");
	}
	for (uint64_t i = 0; i < opt.bytes; i += page)
		memory[i] = 1;
	for (uint64_t i = 0; i < opt.bytes; i += 2 * page)
		madvise(memory + i, page, MADV_DONTNEED);
}

static void want_huge_pages(void)
{
	// more than what was left whole, less than what the holes have
	const uint64_t huge = 2 << 20, size = opt.bytes / 4 / huge * huge + huge;
	for (; go_on(); passes++) {
		char *m = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (m == MAP_FAILED)
			w_die(W_FAILED, errno, "%" PRIu64 " MB", size >> 20);
		madvise(m, size, MADV_HUGEPAGE);
		for (uint64_t i = 0; i < size && go_on(); i += huge, touched += huge / page)
			m[i] = 1;
		munmap(m, size);
	}
}

// Has the kernel take memory of the cgroup back, and touches it again.
static void ask(char *memory)
{
	char low[32], high[32];
	snprintf(low, sizeof low, "%" PRIu64, opt.limit / 4);
	snprintf(high, sizeof high, "%" PRIu64, opt.limit);
	for (; go_on(); passes++) {
		for (uint64_t i = 0; i < opt.limit / 2; i += page, touched++)
			memory[i] = (char)passes;
		if (outer.version == 2) {
			memcg_set(&outer, "memory.reclaim", low);
		} else {
			memcg_set(&outer, "memory.limit_in_bytes", low);
			memcg_set(&outer, "memory.limit_in_bytes", high);
		}
	}
}

// One after another, each with memory of its own, for which the kernel takes some of this task's.
static void run_tasks(char *memory)
{
	for (uint64_t i = 0; i < opt.bytes; i += page)
		memory[i] = 1;
	for (; passes < opt.tasks; passes++) {
		pid_t pid = fork();
		if (pid < 0)
			w_die(W_FAILED, errno, "fork");
		if (!pid) {
			char *own = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (own == MAP_FAILED)
				_exit(1);
			for (uint64_t i = 0; i < 1 << 20; i += page)
				own[i] = 1;
			_exit(0);
		}
		int status;
		if (waitpid(pid, &status, 0) != pid || status)
			w_die(W_FAILED, 0, "a task ended with %d", status);
		touched += (1 << 20) / page;
		// what it has given back is filled again
		for (uint64_t i = 0; i < 1 << 20; i += page)
			memory[(passes << 20) % opt.bytes / page * page + i]++;
	}
}

#endif
