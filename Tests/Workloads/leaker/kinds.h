// SPDX-License-Identifier: Apache-2.0
//
// The functions that leak: external and never inlined, so that their names are in every stack. None ends in a tail call,
// which would take its frame off the stack.
#ifndef SWIFTMEM_KINDS_H
#define SWIFTMEM_KINDS_H
#include "../include/workload.h"
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>

#define LEAKS __attribute__((noinline))

/// What a kind leaves behind.
struct tally {
	uint64_t allocations; // successful calls that gave memory (a realloc that moved or grew counts)
	uint64_t frees; // calls that gave memory back
	uint64_t failed; // calls that failed as they were meant to
	uint64_t outstanding, outstanding_bytes; // bytes as asked for
	uint64_t chunk_bytes; // of the outstanding malloc'ed blocks, as the allocator rounds them
};

enum { MAX_LEAKS = 1 << 20 };
static void *volatile leaked[MAX_LEAKS]; // keeps them reachable, and costs no allocation
static volatile uint32_t leaked_count;
static volatile size_t too_much = SIZE_MAX / 2; // volatile, so that the compiler does not know
static long long pause_us;

// The optimizer must think that the memory is used.
static inline void *escape(void *p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

// What glibc takes for a block: one word more than is usable, two when the block is a mapping of its own (bit 1).
static inline uint64_t chunk_size(void *p)
{
	return malloc_usable_size(p) + (((size_t *)p)[-1] & 2 ? 2 : 1) * sizeof(size_t);
}

static inline void keep(void *p, struct tally *t, uint64_t size, bool heap)
{
	if (!p || p == MAP_FAILED)
		w_die(W_FAILED, errno, "an allocation of %" PRIu64 " bytes", size);
	uint32_t i = __atomic_fetch_add(&leaked_count, 1, __ATOMIC_RELAXED);
	if (i < MAX_LEAKS)
		leaked[i] = p;
	t->allocations++;
	t->outstanding++;
	t->outstanding_bytes += size;
	if (heap)
		t->chunk_bytes += chunk_size(p);
	if (pause_us)
		usleep((useconds_t)pause_us);
}

void *leak_here(size_t size);
void *leak_calloc(size_t size);
void *leak_realloc(size_t size);
void *leak_memalign(size_t size);
void *leak_posix_memalign(size_t size);
void *leak_aligned_alloc(size_t size);
void *leak_valloc(size_t size);
void *leak_strdup(size_t size);
void *leak_mmap(size_t size);
void *leak_mmap_part(size_t size);
void *leak_realloc_chain(size_t size, struct tally *t);
void *leak_failed(size_t size, struct tally *t);
void *leak_in_thread(void *argument);
void *leak_deep(size_t size, int depth);
void churn_here(uint64_t pairs, uint64_t seed);

LEAKS void *leak_here(size_t size)
{
	return escape(malloc(size));
}
LEAKS void *leak_calloc(size_t size)
{
	return escape(calloc(1, size));
}
LEAKS void *leak_realloc(size_t size)
{
	return escape(realloc(NULL, size));
}
LEAKS void *leak_memalign(size_t size)
{
	return escape(memalign(64, size));
}
LEAKS void *leak_aligned_alloc(size_t size)
{
	return escape(aligned_alloc(64, (size + 63) & ~(size_t)63));
}
LEAKS void *leak_valloc(size_t size)
{
	return escape(valloc(size));
}

LEAKS void *leak_posix_memalign(size_t size)
{
	void *p = NULL;
	return posix_memalign(&p, 128, size) ? NULL : escape(p);
}

LEAKS void *leak_strdup(size_t size)
{ // strdup allocates strlen + 1
	static char text[1 << 16];
	memset(text, 'x', size - 1);
	text[size - 1] = 0;
	return escape(strdup(text));
}

LEAKS void *leak_mmap(size_t size)
{
	return escape(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

/// Maps four pages, gives the second back.
LEAKS void *leak_mmap_part(size_t page)
{
	char *p = escape(mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	if (p == MAP_FAILED || munmap(p + page, page) < 0)
		return NULL;
	return escape(p);
}

/// From size to 16 times size in four steps; only the last block stays.
LEAKS void *leak_realloc_chain(size_t size, struct tally *t)
{
	void *p = escape(malloc(size));
	for (int i = 1; p && i <= 4; i++) {
		p = escape(realloc(p, size << i));
		t->allocations++; // keep() counts one more
		t->frees++;
	}
	return p;
}

/// Every call but the first fails; a realloc that fails leaves its block.
LEAKS void *leak_failed(size_t size, struct tally *t)
{
	void *volatile stays = escape(malloc(size)); // volatile: no compiler is to think it gone after the realloc
	void *q = NULL;
	uint64_t failed = 0;
	failed += escape(malloc(too_much + 1)) == NULL;
	failed += escape(calloc(too_much, 4)) == NULL;
	failed += escape(realloc(stays, too_much + 1)) == NULL;
	failed += posix_memalign(&q, 3, size) == EINVAL;
	failed += escape(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) == MAP_FAILED;
	failed += munmap((char *)leaked + 1, 4096) == -1;
	if (failed != 6)
		w_die(W_FAILED, 0, "%" PRIu64 " of 6 calls failed that had to", failed);
	t->failed += failed;
	return stays;
}

/// The first thing that a new thread does is to allocate.
LEAKS void *leak_in_thread(void *argument)
{
	return leak_here(*(size_t *)argument);
}

LEAKS void *leak_deep(size_t size, int depth)
{
	return escape(depth > 0 ? leak_deep(size, depth - 1) : leak_here(size));
}

/// Pairs of malloc and free, of 16 to 1039 bytes.
LEAKS void churn_here(uint64_t pairs, uint64_t seed)
{
	for (uint64_t i = 0; i < pairs; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		free(escape(malloc(16 + (seed >> 54))));
	}
}

#endif
