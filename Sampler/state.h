// SPDX-License-Identifier: Apache-2.0
//
// What the sampler keeps, and what a tracer reads of it (process_vm_readv): the symbol swiftmem_sampler_state leads
// to everything else. A change of the layout is a change of SAMPLER_VERSION.
#ifndef SWIFTMEM_SAMPLER_STATE_H
#define SWIFTMEM_SAMPLER_STATE_H

#include <stdint.h>

#ifdef __cplusplus
#define _Static_assert static_assert
#endif

#define SAMPLER_MAGIC 0x72656c706d617331ULL // "1sampler" as bytes of memory
#define SAMPLER_VERSION 1

// Sampled blocks that can be alive at once: at a sample every 512 KiB, those of 32 GiB.
#define SAMPLER_SLOTS 65536
// How far from its own slot a block may lie.
#define SAMPLER_WINDOW 32
// A slot that is being filled; no block has this address.
#define SAMPLER_BUSY 1

// A sampled block that is alive, beside its address in `addresses`.
struct sampler_block {
	uint64_t size; // bytes asked for
	uint64_t weight; // bytes it stands for
	uint64_t time_ns; // CLOCK_MONOTONIC
	uint64_t caller; // return address of the call that allocated it
};

struct sampler_state {
	uint64_t magic;
	uint32_t version;
	uint32_t slots;
	uint64_t distance; // bytes between samples on average; 0: none are taken, or not yet
	uint64_t addresses; // where the slots' addresses are: uint64_t[slots], 0 for a free one
	uint64_t blocks; // struct sampler_block[slots]
	uint64_t sampled; // blocks put into the table since the start
	uint64_t freed; // taken out of it
	uint64_t lost; // samples for which the table had no room: their frees are not seen either
};

_Static_assert(sizeof(struct sampler_block) == 32, "tracers read it");
_Static_assert(sizeof(struct sampler_state) == 64, "tracers read it");

#endif
