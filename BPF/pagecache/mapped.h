/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * How many file pages a page fault mapped.
 *
 * No tracepoint says it: mm_filemap_map_pages names the window it looked at,
 * and a huge mapping emits none. But every change of an address space's file
 * pages passes kmem:rss_stat, just behind the change. The counter is split over
 * the CPUs (lib/percpu_counter.c): each event adds to this CPU's part, or folds
 * that part and the amount into the central count. Following both parts gives
 * the amounts; two CPUs that fold at the same time see each other's, in sum the
 * same.
 */
#ifndef SWIFTMEM_MAPPED_H
#define SWIFTMEM_MAPPED_H

#include "lib/kernel.h"
#include "lib/loss.h"
#include "lib/percpu.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define MAPPED_SPACES 16384

/* The counter to follow: swap entries are followed as file pages are. */
#ifndef MAPPED_MEMBER
#define MAPPED_MEMBER MM_FILEPAGES
#endif

struct mapped_space {
	u64 born; /* tells this mm from an earlier one at the same address */
	s64 central;
	u32 fresh; /* seen from birth: parts not seen yet are zero */
	u32 padding;
};

struct mapped_cpu {
	u64 mm;
	u64 cpu;
};

struct mapped_part {
	u64 born;
	s64 local;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAPPED_SPACES);
	__type(key, u64);
	__type(value, struct mapped_space);
} mapped_spaces SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 2 * MAPPED_SPACES);
	__type(key, struct mapped_cpu);
	__type(value, struct mapped_part);
} mapped_parts SEC(".maps");

/* The change of an address space's file pages since its last event. `wanted`: what is not known of it is a loss. */
static __always_inline s64 mapped_change(struct mm_struct *mm, bool wanted)
{
	struct mapped_cpu at = { .mm = address_of(mm), .cpu = bpf_get_smp_processor_id() };
	u64 key = at.mm, offset = 0;
	struct percpu_counter *counter = mm_counter(mm, MAPPED_MEMBER);
	s64 central = BPF_CORE_READ(counter, count);
	s32 *counters = BPF_CORE_READ(counter, counters), local = 0;

	if (!percpu_offset(percpu_probe_pointer(), at.cpu, &offset) ||
	    bpf_probe_read_kernel(&local, sizeof(local), (void *)counters + offset)) {
		lost(LOSS_UNREADABLE);
		return 0;
	}

	struct mapped_space *space = bpf_map_lookup_elem(&mapped_spaces, &key);

	if (!space) {
		struct mapped_space unknown = { .born = bpf_ktime_get_ns(), .central = central };

		bpf_map_update_elem(&mapped_spaces, &key, &unknown, BPF_NOEXIST);
		space = bpf_map_lookup_elem(&mapped_spaces, &key);
		if (!space) {
			lost(LOSS_MAP_FULL);
			return 0;
		}
	}
	s64 change = central - space->central;

	space->central = central;

	struct mapped_part *part = bpf_map_lookup_elem(&mapped_parts, &at);

	if (part && part->born == space->born) {
		change += local - part->local;
		part->local = local;
		return change;
	}
	struct mapped_part now = { .born = space->born, .local = local };

	if (bpf_map_update_elem(&mapped_parts, &at, &now, BPF_ANY))
		lost(LOSS_MAP_FULL);
	if (space->fresh)
		return change + local;
	/*
	 * fork() fills a child's address space before anybody can know it: that is no
	 * access. A running task's own one should be known.
	 */
	struct task_struct *task = (void *)bpf_get_current_task();

	if (wanted && BPF_CORE_READ(task, mm) == mm)
		lost(LOSS_NO_BASELINE);
	return 0;
}

/* A task has a new address space: by exec, or by fork. */
static __always_inline void mapped_born(struct mm_struct *mm)
{
	u64 key = address_of(mm);
	struct mapped_space *space = bpf_map_lookup_elem(&mapped_spaces, &key);

	if (space) {
		space->fresh = 1;
		return;
	}
	struct mapped_space fresh = {
		.born = bpf_ktime_get_ns(),
		.central = BPF_CORE_READ(mm_counter(mm, MAPPED_MEMBER), count),
		.fresh = 1,
	};

	if (bpf_map_update_elem(&mapped_spaces, &key, &fresh, BPF_ANY))
		lost(LOSS_MAP_FULL);
}

/*
 * The address spaces that are there at the start, as if they had been followed
 * from birth: every part that is not zero is noted.
 */
static __always_inline void mapped_seed(struct mm_struct *mm)
{
	u64 key = address_of(mm), probe = percpu_probe_pointer();
	struct percpu_counter *counter = mm_counter(mm, MAPPED_MEMBER);
	s32 *counters = BPF_CORE_READ(counter, counters);
	struct mapped_space space = {
		.born = bpf_ktime_get_ns(),
		.central = BPF_CORE_READ(counter, count),
		.fresh = 1,
	};

	for (u32 cpu = 0; cpu < MAX_CPUS && cpu < possible_cpus; cpu++) {
		struct mapped_cpu at = { .mm = key, .cpu = cpu };
		struct mapped_part part = { .born = space.born };
		u64 offset = 0;
		s32 local = 0;

		if (!percpu_offset(probe, cpu, &offset))
			break;
		bpf_probe_read_kernel(&local, sizeof(local), (void *)counters + offset);
		part.local = local;
		if (local)
			bpf_map_update_elem(&mapped_parts, &at, &part, BPF_NOEXIST);
	}
	bpf_map_update_elem(&mapped_spaces, &key, &space, BPF_NOEXIST);
}

/* An address space is gone; another may be born at its address. */
static __always_inline void mapped_gone(struct mm_struct *mm)
{
	u64 key = address_of(mm);

	bpf_map_delete_elem(&mapped_spaces, &key);
}

#endif
