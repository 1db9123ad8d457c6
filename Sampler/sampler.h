// SPDX-License-Identifier: Apache-2.0
//
// The parts of the sampler, and what every call passes through: some additions, one look into a filter.
#ifndef SWIFTMEM_SAMPLER_H
#define SWIFTMEM_SAMPLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "state.h"

#define EXPORTED __attribute__((visibility("default")))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define CALLER() ((uint64_t)(uintptr_t)__builtin_extract_return_addr(__builtin_return_address(0)))

// ---- next.c: the allocator that does the work

// Names, in the order of the C library's manual; next.c looks each up behind this library.
struct next_allocator {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void (*free)(void *);
	// NULL where it has none
	int (*posix_memalign)(void **, size_t, size_t);
	void *(*aligned_alloc)(size_t, size_t);
	void *(*memalign)(size_t, size_t);
	void *(*valloc)(size_t);
	void *(*pvalloc)(size_t);
	size_t (*malloc_usable_size)(void *);
	void (*free_sized)(void *, size_t);
	void (*free_aligned_sized)(void *, size_t, size_t);
};

extern struct next_allocator next;

// Looks the allocator up. Else false: this very thread is about to.
bool find_next(void);
// The same, where it may have been looked up: those fields of `next` that may be NULL are what they stay.
bool is_found(void);

// Early blocks: what is asked for while the allocator is looked up.
void *early_block(size_t size, size_t alignment);
bool is_early(const void *block);
size_t early_size(const void *block);

// ---- sample.c: which blocks are sampled

// A thread's own; small, for it takes of the room that all libraries share.
struct thread_state {
	int64_t left; // bytes to the next sample
	uint64_t random;
	const void *last; // the block that the last call gave
	bool is_finding; // looks the allocator up
};

// Preloaded libraries have their place beside the program's own: no call on the way to it.
extern __thread struct thread_state thread_state __attribute__((tls_model("initial-exec"), visibility("hidden")));

// The sample point lies in this block, or the thread has just begun.
void sample(void *block, size_t size, uint64_t caller);

// Counts the bytes of a block, which is sampled where its turn has come.
static inline __attribute__((always_inline)) void count_block(void *block, size_t size, uint64_t caller)
{
	thread_state.last = block;
	if (UNLIKELY((thread_state.left -= (int64_t)(size + !size)) <= 0))
		sample(block, size, caller);
}

// ---- table.c: sampled blocks that are alive

extern struct sampler_state swiftmem_sampler_state;

// Blocks that may be in the table, by a hash of their address; most others are not in it.
#define FILTER_BITS 16
extern uint8_t filter[1 << FILTER_BITS];

static inline uint32_t filter_place(const void *block)
{
	return (uint32_t)(((uintptr_t)block >> 4) * 0x9e3779b97f4a7c15ULL >> (64 - FILTER_BITS));
}

static inline bool is_special(const void *block)
{
	return __atomic_load_n(&filter[filter_place(block)], __ATOMIC_RELAXED) != 0;
}

// Never taken out again.
void filter_keep(const void *block);

bool table_put(const void *block, const struct sampler_block *what);
bool table_take(const void *block, struct sampler_block *what);
// The program's own call, where the block was counted in one below it.
void table_name_caller(const void *block, uint64_t caller);

// A block is about to be freed: is it one of the allocator's? Early ones are nobody's.
bool forget(void *block);

// Allocators call each other: aligned_alloc may call malloc by its name, operator new does. What was counted there is not
// counted again. (A flag around the call would stay set where it throws.)
static inline __attribute__((always_inline)) void before_call(void)
{
	thread_state.last = NULL;
}

static inline __attribute__((always_inline)) void after_call(void *block, size_t size, uint64_t caller)
{
	if (!block)
		return;
	if (thread_state.last != block)
		count_block(block, size, caller);
	else if (UNLIKELY(is_special(block)))
		table_name_caller(block, caller);
}

// ---- probes.c: the places that tracers attach to

EXPORTED void swiftmem_sampled_alloc(void *block, size_t size, uint64_t weight);
EXPORTED void swiftmem_sampled_free(void *block);

#endif
