// SPDX-License-Identifier: Apache-2.0
//
// Sampled blocks that are alive. No locks: whoever has a block is the only one who puts it in or takes it out, so two
// threads meet only at an empty slot, which one of them gets. A signal's handler is a thread like any other. A block lies
// within a window of slots from its own; where that is full its sample is lost, and counted.
#include "sampler.h"

static uint64_t addresses[SAMPLER_SLOTS];
static struct sampler_block blocks[SAMPLER_SLOTS];
uint8_t filter[1 << FILTER_BITS] __attribute__((aligned(64)));

EXPORTED struct sampler_state swiftmem_sampler_state = {
	.magic = SAMPLER_MAGIC,
	.version = SAMPLER_VERSION,
	.slots = SAMPLER_SLOTS,
	.addresses = (uintptr_t)addresses,
	.blocks = (uintptr_t)blocks,
};

// Full counters stay: what they count can't be told any more.
static void filter_add(const void *block)
{
	uint8_t *counter = &filter[filter_place(block)], old = __atomic_load_n(counter, __ATOMIC_RELAXED);

	while (old < UINT8_MAX &&
	       !__atomic_compare_exchange_n(counter, &old, old + 1, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

static void filter_remove(const void *block)
{
	uint8_t *counter = &filter[filter_place(block)], old = __atomic_load_n(counter, __ATOMIC_RELAXED);

	while (old < UINT8_MAX &&
	       !__atomic_compare_exchange_n(counter, &old, old - 1, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

void filter_keep(const void *block)
{
	__atomic_store_n(&filter[filter_place(block)], UINT8_MAX, __ATOMIC_RELAXED);
}

static uint32_t first_slot(const void *block)
{
	return (uint32_t)(((uintptr_t)block >> 4) * 0xff51afd7ed558ccdULL >> 40) % SAMPLER_SLOTS;
}

bool table_put(const void *block, const struct sampler_block *what)
{
	uint32_t first = first_slot(block);

	for (uint32_t i = 0; i < SAMPLER_WINDOW; i++) {
		uint32_t slot = (first + i) % SAMPLER_SLOTS;
		uint64_t empty = 0;

		if (__atomic_load_n(&addresses[slot], __ATOMIC_RELAXED) ||
		    !__atomic_compare_exchange_n(&addresses[slot], &empty, SAMPLER_BUSY, false, __ATOMIC_ACQUIRE,
						 __ATOMIC_RELAXED))
			continue;
		blocks[slot] = *what;
		__atomic_store_n(&addresses[slot], (uintptr_t)block, __ATOMIC_RELEASE);
		filter_add(block);
		__atomic_fetch_add(&swiftmem_sampler_state.sampled, 1, __ATOMIC_RELAXED);
		return true;
	}
	__atomic_fetch_add(&swiftmem_sampler_state.lost, 1, __ATOMIC_RELAXED);
	return false;
}

// SAMPLER_SLOTS: it is in none.
static uint32_t slot_of(const void *block)
{
	uint32_t first = first_slot(block);

	for (uint32_t i = 0; i < SAMPLER_WINDOW; i++) {
		uint32_t slot = (first + i) % SAMPLER_SLOTS;

		if (__atomic_load_n(&addresses[slot], __ATOMIC_RELAXED) == (uintptr_t)block)
			return slot;
	}
	return SAMPLER_SLOTS;
}

bool table_take(const void *block, struct sampler_block *what)
{
	// NULL is what free slots have
	uint32_t slot = block ? slot_of(block) : SAMPLER_SLOTS;

	if (slot == SAMPLER_SLOTS)
		return false;
	*what = blocks[slot];
	__atomic_store_n(&addresses[slot], 0, __ATOMIC_RELEASE);
	filter_remove(block);
	__atomic_fetch_add(&swiftmem_sampler_state.freed, 1, __ATOMIC_RELAXED);
	return true;
}

__attribute__((noinline, cold)) void table_name_caller(const void *block, uint64_t caller)
{
	uint32_t slot = slot_of(block);

	if (slot != SAMPLER_SLOTS)
		__atomic_store_n(&blocks[slot].caller, caller, __ATOMIC_RELAXED);
}

__attribute__((noinline, cold)) bool forget(void *block)
{
	struct sampler_block what;

	if (is_early(block))
		return false;
	// before the block is free: afterwards its address may be another's
	if (table_take(block, &what))
		swiftmem_sampled_free(block);
	return true;
}
