/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Resident pages of an address space, exact on every kernel. */
#ifndef SWIFTMEM_RSS_H
#define SWIFTMEM_RSS_H

#include "vmlinux/compat.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "percpu.h"

/*
 * get_mm_counter_sum() of all four members: since 6.2 a counter is split over
 * the CPUs, and its central part alone is off by up to a batch a CPU.
 */
static __noinline int mm_rss(struct mm_struct *mm, u64 pages[MM_COUNTERS])
{
	s64 sum[MM_COUNTERS] = {};

	if (bpf_core_type_exists(struct mm_rss_stat)) {
		struct mm_struct___unsplit_rss *old = (void *)mm;

		for (int i = 0; i < MM_COUNTERS; i++)
			bpf_core_read(&sum[i], sizeof(sum[i]), &old->rss_stat.count[i].counter);
	} else {
		s32 *counters[MM_COUNTERS];
		u64 probe = percpu_probe_pointer();

		for (int i = 0; i < MM_COUNTERS; i++) {
			struct percpu_counter *counter = mm_counter(mm, i);

			sum[i] = BPF_CORE_READ(counter, count);
			counters[i] = BPF_CORE_READ(counter, counters);
		}
		for (u32 cpu = 0; cpu < MAX_CPUS && cpu < possible_cpus; cpu++) {
			u64 offset;

			if (!percpu_offset(probe, cpu, &offset))
				break;
			for (int i = 0; i < MM_COUNTERS; i++) {
				s32 part = 0;

				if (!bpf_probe_read_kernel(&part, sizeof(part), (void *)counters[i] + offset))
					sum[i] += part;
			}
		}
	}
	for (int i = 0; i < MM_COUNTERS; i++)
		pages[i] = sum[i] > 0 ? sum[i] : 0;
	return 0;
}

#endif
