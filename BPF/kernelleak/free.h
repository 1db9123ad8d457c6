/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Frees. The kernel skips a program that it interrupted in itself (since 6.1), so that RCU's
 * frees of hundreds of objects in an interrupt would all stay in the ledger: two programs stand on each free.
 */
#ifndef SWIFTMEM_KERNELLEAK_FREE_H
#define SWIFTMEM_KERNELLEAK_FREE_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "kernelleak/ledger.h"

/* The free that the first program has seen and the second has not, yet. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, KERNELLEAK_FREES);
	__type(key, u32);
	__type(value, u64);
} seen_frees SEC(".maps");

static __always_inline int freed(u32 which, u64 address)
{
	u64 size = 0;

	if (!IS_MEMORY(address)) {
		COUNT(null_frees);
		return 0;
	}
	bool known = take(address, &size);

	if (known)
		COUNT(calls.frees);
	else if (current_pid() != config.own_pid)
		COUNT(calls.unmatched_frees);
	if (config.trace && known)
		send_event(MEMLEAK_FREE, address, size, known);

	u64 *seen = bpf_map_lookup_elem(&seen_frees, &which);

	if (seen)
		*seen = address;
	return 0;
}

/* A free that the first program did not see: if the block was recorded, it is taken out and counted. */
static __always_inline int freed_otherwise(u64 address, u32 counter)
{
	u64 size = 0;

	if (!take(address, &size))
		return 0;
	COUNT(calls.frees);
	count(counter);
	if (config.trace)
		send_event(MEMLEAK_FREE, address, size, true);
	return 0;
}

/*
 * The second program on a free's tracepoint: it records the free that the first was skipped
 * for. The first leaves the address it saw; an address that is not that one was not seen.
 * It runs behind the first, before the memory is really free: taking a block out once more,
 * where an interrupt came between the two, finds nothing.
 */
static __always_inline int freed_second(u32 which, u64 address)
{
	u64 *seen = bpf_map_lookup_elem(&seen_frees, &which);

	if (!seen || !IS_MEMORY(address))
		return 0;
	if (*seen == address) {
		*seen = 0;
		return 0;
	}
	return freed_otherwise(address, COUNTER(rescued_frees));
}

/* kvfree_rcu() gives 507 at once (KVFREE_BULK_MAX_ENTR), others less. */
#define BULK_MAX 512

static __always_inline int freed_in_bulk(u64 count, u64 objects)
{
	for (u32 i = 0; i < BULK_MAX; i++) {
		u64 address = 0;

		if (i >= count)
			return 0;
		if (bpf_probe_read_kernel(&address, sizeof(address), (void *)(objects + 8 * i))) {
			lost(LOSS_UNREADABLE);
			return 0;
		}
		freed_otherwise(address, COUNTER(bulk_frees));
	}
	if (count > BULK_MAX)
		lost(LOSS_SKIPPED);
	return 0;
}

static __always_inline int freed_by_rcu(u64 address)
{
	return IS_MEMORY(address) ? freed_otherwise(address, COUNTER(rcu_frees)) : 0;
}

#endif
