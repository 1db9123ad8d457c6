/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Resident pages of an address space, exact on every kernel. */
#ifndef SWIFTMEM_RSS_H
#define SWIFTMEM_RSS_H

#include "vmlinux/compat.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "percpu.h"

/* Every CPU's offset of per-CPU variables, once it is known: a walk over all processes asks for it anew with each. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_CPUS);
	__type(key, u32);
	__type(value, u64);
} cpu_offsets SEC(".maps");

static __always_inline bool known_offset(u64 probe, u32 cpu, u64 *offset)
{
	u64 *known = bpf_map_lookup_elem(&cpu_offsets, &cpu);

	if (known && *known) {
		*offset = *known;
		return true;
	}
	if (!percpu_offset(probe, cpu, offset))
		return false;
	if (known)
		*known = *offset;
	return true;
}

/* Adds each CPU's part of the counters. mm_init() makes all of them at once, side by side, since 6.6 (14ef95be6f55). */
static __always_inline void add_parts(s32 *counters[MM_COUNTERS], s64 sum[MM_COUNTERS])
{
	u64 probe = percpu_probe_pointer();
	bool together = true;

	for (int i = 1; i < MM_COUNTERS; i++)
		together &= counters[i] == counters[0] + i;
	for (u32 cpu = 0; cpu < MAX_CPUS && cpu < possible_cpus; cpu++) {
		s32 parts[MM_COUNTERS] = {};
		u64 offset;

		if (!known_offset(probe, cpu, &offset))
			break;
		if (together) {
			bpf_probe_read_kernel(parts, sizeof(parts), (void *)counters[0] + offset);
		} else {
			for (int i = 0; i < MM_COUNTERS; i++)
				bpf_probe_read_kernel(&parts[i], sizeof(parts[i]), (void *)counters[i] + offset);
		}
		for (int i = 0; i < MM_COUNTERS; i++)
			sum[i] += parts[i];
	}
}

static __always_inline void resident_of(s64 sum[MM_COUNTERS], u64 pages[MM_COUNTERS])
{
	for (int i = 0; i < MM_COUNTERS; i++)
		pages[i] = sum[i] > 0 ? sum[i] : 0;
}

/*
 * get_mm_counter_sum() of all four members: since 6.2 a counter is split over
 * the CPUs, and its central part alone is off by up to a batch a CPU.
 *
 * `given`: the address space is an iterator's. The verifier knows what it is, and lets it be read without helpers.
 */
static __always_inline void sum_rss(struct mm_struct *mm, u64 pages[MM_COUNTERS], bool given)
{
	s64 sum[MM_COUNTERS] = {};

	if (bpf_core_type_exists(struct mm_rss_stat)) {
		struct mm_struct___unsplit_rss *old = (void *)mm;

		/* side by side, of a type that the verifier does not look into */
		bpf_core_read(sum, sizeof(sum), &old->rss_stat.count[0].counter);
	} else {
		s32 *counters[MM_COUNTERS];

		for (int i = 0; i < MM_COUNTERS; i++) {
			struct percpu_counter *counter = mm_counter(mm, i);

			sum[i] = given ? counter->count : BPF_CORE_READ(counter, count);
			counters[i] = given ? counter->counters : BPF_CORE_READ(counter, counters);
		}
		add_parts(counters, sum);
	}
	resident_of(sum, pages);
}

__attribute__((unused)) static __noinline int mm_rss(struct mm_struct *mm, u64 pages[MM_COUNTERS])
{
	sum_rss(mm, pages, false);
	return 0;
}

static __always_inline void mm_rss_given(struct mm_struct *mm, u64 pages[MM_COUNTERS])
{
	sum_rss(mm, pages, true);
}

#endif
