// SPDX-License-Identifier: Apache-2.0
//
// What tests of the sampler ask of it. Sizes are those that a mean distance of one byte always samples.
#ifndef BOOKS_H
#define BOOKS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../Sampler/state.h"

// NULL: the library is not there
#ifdef __cplusplus
extern "C"
#else
extern
#endif
	struct sampler_state swiftmem_sampler_state __attribute__((weak));

#define BOOKS (&swiftmem_sampler_state)

#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: %s; sampled %llu, freed %llu\n", __FILE__, __LINE__, #condition, \
				(unsigned long long)BOOKS->sampled, (unsigned long long)BOOKS->freed); \
			exit(1); \
		} \
	} while (0)

static inline uint64_t alive(void)
{
	return __atomic_load_n(&BOOKS->sampled, __ATOMIC_SEQ_CST) - __atomic_load_n(&BOOKS->freed, __ATOMIC_SEQ_CST);
}

// The slot of a block's address; -1: it is not sampled.
static inline long slot_at(uintptr_t address)
{
	const uint64_t *addresses = (const uint64_t *)BOOKS->addresses;

	for (uint32_t i = 0; i < BOOKS->slots; i++)
		if (addresses[i] == address)
			return i;
	return -1;
}

static inline long slot_of(const void *block)
{
	return slot_at((uintptr_t)block);
}

static inline uint64_t size_of(const void *block)
{
	long slot = slot_of(block);

	return slot < 0 ? UINT64_MAX : ((const struct sampler_block *)BOOKS->blocks)[slot].size;
}

// The call that is about to come is to give one sampled block of so many bytes.
#define ONE(type, block, call, bytes) \
	do { \
		uint64_t before = BOOKS->sampled; \
		block = (type)(call); \
		CHECK(block); \
		CHECK(BOOKS->sampled - before == 1); \
		CHECK(size_of(block) == (bytes)); \
	} while (0)

// … is to take the block out; a look-up that comes first may free more.
#define GONE(block, call) \
	do { \
		uint64_t before = BOOKS->freed; \
		uintptr_t address = (uintptr_t)(block); \
		call; \
		CHECK(BOOKS->freed > before); \
		CHECK(slot_at(address) < 0); \
	} while (0)

#endif
