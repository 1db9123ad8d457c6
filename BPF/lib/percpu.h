/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Where another CPU's copy of a kernel per-CPU variable lies.
 *
 * The kernel's own table of offsets is a symbol that a kernel without
 * CONFIG_KALLSYMS_ALL does not name. A per-CPU map of ours holds both halves of
 * the answer: its per-CPU pointer, and, from a look-up, that pointer as a CPU
 * sees it; the difference is that CPU's offset, for every variable.
 * Needs bpf_map_lookup_percpu_elem(), 5.19; split RSS counters came with 6.2.
 */
#ifndef SWIFTMEM_PERCPU_H
#define SWIFTMEM_PERCPU_H

#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define MAX_CPUS 4096

/*
 * How many CPUs are possible here. Read-only data: the verifier walks a loop over
 * them as often as it runs, not up to the most a kernel may have.
 */
const volatile u32 possible_cpus SEC(".rodata.cpus") = 1;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} percpu_probe SEC(".maps");

/* The verifier does not let a pointer be used as a number; a copy of one may be. */
static __always_inline u64 address_of(const void *pointer)
{
	const void *slot = pointer;
	u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &slot);
	return address;
}

/* The per-CPU pointer behind percpu_probe; 0 where it can't be read. */
static __always_inline u64 percpu_probe_pointer(void)
{
	u64 map = address_of(&percpu_probe), pointer = 0;

	bpf_probe_read_kernel(&pointer, sizeof(pointer), (void *)map + bpf_core_field_offset(struct bpf_array, pptrs));
	return pointer;
}

/* A CPU's offset, from percpu_probe_pointer(); false for a CPU that is not possible. */
static __always_inline bool percpu_offset(u64 probe, u32 cpu, u64 *offset)
{
	u32 zero = 0;
	void *there = bpf_map_lookup_percpu_elem(&percpu_probe, &zero, cpu);

	if (!there || !probe)
		return false;
	*offset = address_of(there) - probe;
	return true;
}

/* One of mm->rss_stat[]: an index is not relocated, so its stride is asked for. */
static __always_inline struct percpu_counter *mm_counter(struct mm_struct *mm, int member)
{
	return (void *)mm + bpf_core_field_offset(struct mm_struct, rss_stat) +
	       member * bpf_core_type_size(struct percpu_counter);
}

/*
 * What a counter's central count has changed by since it was last looked at, by whatever CPU. The value that was seen is
 * exchanged for one that was read after it was put there: a CPU that is held up between its look and its exchange would
 * put back an old one, and count what others have counted.
 */
static __always_inline s64 central_change(s64 *seen, struct percpu_counter *counter)
{
	for (int i = 0; i < 8; i++) {
		/* ordered before the look, which a plain read is not on arm64 */
		s64 before = __sync_fetch_and_add(seen, 0);
		s64 now = BPF_CORE_READ(counter, count);

		if (__sync_val_compare_and_swap(seen, before, now) == before)
			return now - before;
	}
	return 0; /* for the next event */
}

#endif
