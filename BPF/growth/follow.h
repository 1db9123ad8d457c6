/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What an address space's counters of resident pages change by, on kernels that split them over the CPUs.
 *
 * kmem:rss_stat comes right behind each change and does not say its amount. lib/percpu_counter.c adds to
 * this CPU's part of the counter, or adds that part and the amount to the central count and makes the part
 * zero. So the change is what both have grown by since they were last looked at, and the sum of all changes
 * is that of the counter. Two CPUs that add to the central count at once may see each other's amount: one counts more
 * pages, the other as many less.
 * (lib/rss_follow.h follows one counter of every address space, this one all of those that are traced.)
 */
#ifndef SWIFTMEM_GROWTH_FOLLOW_H
#define SWIFTMEM_GROWTH_FOLLOW_H

#include "growth/state.h"
#include "lib/rss.h"

struct part_key {
	u64 mm;
	u64 cpu;
};

/* A CPU's parts of an address space's counters, when last looked at. */
struct part {
	u64 born; /* of the address space */
	s32 local[GROWTH_KINDS];
};

/* A part that is missing was zero when the address space was first seen. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 262144);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct part_key);
	__type(value, struct part);
} parts SEC(".maps");

/* This CPU's offset of per-CPU variables, once it is known. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} own_offset SEC(".maps");

static __always_inline bool this_cpu_offset(u64 cpu, u64 *offset)
{
	u32 zero = 0;
	u64 *known = bpf_map_lookup_elem(&own_offset, &zero);

	if (known && *known) {
		*offset = *known;
		return true;
	}
	if (!percpu_offset(percpu_probe_pointer(), cpu, offset))
		return false;
	if (known)
		*known = *offset;
	return true;
}

/* What a counter has changed by since it was last looked at, on this CPU. */
static __always_inline s64 followed_change(struct growth_space *space, struct mm_struct *mm, u32 kind)
{
	struct part_key at = { .mm = address_of(mm), .cpu = bpf_get_smp_processor_id() };
	struct percpu_counter *counter = mm_counter(mm, kind);
	s32 *counters = BPF_CORE_READ(counter, counters), local = 0;
	u64 offset = 0;

	if (!this_cpu_offset(at.cpu, &offset) ||
	    bpf_probe_read_kernel(&local, sizeof(local), (void *)counters + offset)) {
		lost(LOSS_UNREADABLE);
		return 0;
	}
	struct part *part = bpf_map_lookup_elem(&parts, &at);

	if (!part || part->born != space->born) {
		struct part none = { .born = space->born };

		bpf_map_update_elem(&parts, &at, &none, BPF_ANY);
		part = bpf_map_lookup_elem(&parts, &at);
		if (!part) {
			lost(LOSS_MAP_FULL);
			return 0;
		}
	}
	s64 change = central_change(&space->central[kind], counter) + local - part->local[kind];

	part->local[kind] = local;
	return change;
}

/*
 * Enters an address space with the pages that it has: they are its base where it was there before the trace,
 * else fork or exec has made them resident.
 */
static __noinline int space_begin(struct mm_struct *mm, u32 pid, bool is_new, const char *comm)
{
	u64 key = address_of(mm), probe = percpu_probe_pointer();
	struct growth_space space = {
		.born = bpf_ktime_get_ns(),
		.pid = pid,
		.serial = bpf_get_prandom_u32(),
		.narrow = is_narrow(mm),
	};
	s32 *all[GROWTH_KINDS];

	bpf_probe_read_kernel_str(space.comm, sizeof(space.comm), comm);
	for (int kind = 0; kind < GROWTH_KINDS; kind++) {
		struct percpu_counter *counter = mm_counter(mm, kind);

		space.base[kind] = space.central[kind] = BPF_CORE_READ(counter, count);
		all[kind] = BPF_CORE_READ(counter, counters);
	}
	for (u32 cpu = 0; cpu < MAX_CPUS && cpu < possible_cpus; cpu++) {
		struct part_key at = { .mm = key, .cpu = cpu };
		struct part part = { .born = space.born };
		u64 offset = 0;
		bool any = false;

		if (!percpu_offset(probe, cpu, &offset))
			break;
		for (int kind = 0; kind < GROWTH_KINDS; kind++) {
			bpf_probe_read_kernel(&part.local[kind], sizeof(s32), (void *)all[kind] + offset);
			space.base[kind] += part.local[kind];
			any |= part.local[kind] != 0;
		}
		if (any && bpf_map_update_elem(&parts, &at, &part, BPF_ANY))
			lost(LOSS_MAP_FULL);
	}
	for (int kind = 0; kind < GROWTH_KINDS; kind++) {
		space.now[kind] = space.base[kind];
		if (!is_new)
			continue;
		space.net[kind] = space.base[kind];
		if (kind != GROWTH_SWAP)
			space.elsewhere += space.base[kind];
		space.base[kind] = 0;
	}
	if (bpf_map_update_elem(&spaces, &key, &space, is_new ? BPF_ANY : BPF_NOEXIST) == -E2BIG)
		lost(LOSS_MAP_FULL);
	return 0;
}

#endif
