/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What BPF/memleak.bpf.c and its reader share. */
#ifndef SWIFTMEM_MEMLEAK_H
#define SWIFTMEM_MEMLEAK_H

#include <linux/types.h>
#include "process_change.h"

/* What a probed function does, by the shape of its arguments; a probe's cookie. */
enum memleak_op {
	MEMLEAK_SIZE = 1, /* malloc: (size) */
	MEMLEAK_OUTER_SIZE, /* valloc, pvalloc: (size), and may call malloc */
	MEMLEAK_NEW, /* an operator new that does not call malloc, and may throw: (size, …) */
	MEMLEAK_OUTER, /* an operator new that calls malloc: only its caller matters */
	MEMLEAK_CALLOC, /* (count, size) */
	MEMLEAK_REALLOC, /* (old, size) */
	MEMLEAK_REALLOCARRAY, /* (old, count, size) */
	MEMLEAK_ALIGNED, /* memalign, aligned_alloc: (alignment, size) */
	MEMLEAK_POSIX_MEMALIGN, /* (result, alignment, size) */
	MEMLEAK_FREE, /* free, operator delete: (block, …) */
	MEMLEAK_SAMPLED, /* the sampler in the process took one: (block, size, weight) */
	MEMLEAK_SAMPLED_FREE, /* … and it is about to be freed: (block) */
	MEMLEAK_MMAP, /* (address, length, protection, flags, …) */
	MEMLEAK_MUNMAP, /* (address, length) */
	MEMLEAK_MREMAP, /* (old, old length, new length, flags, …) */
	MEMLEAK_OPS,
};

struct memleak_config {
	__u64 min_size; /* bytes; smaller allocations are not recorded */
	__u64 max_size;
	__u32 sample_threshold; /* a random word below it is recorded; 0: all */
	__u32 task_storage; /* threads' state is kept with the task, not by its id */
	__u32 chosen_only; /* probes fire in other processes too: ask `processes` */
	__u32 by_cgroup; /* ask the filter */
	__u32 follow; /* a chosen process's children are chosen */
	__u32 totals; /* keep bytes and counts by stack, of what is outstanding */
	__u32 made; /* keep bytes and counts by stack, of what was ever allocated; not with `totals` */
	__u32 trace; /* an event for each call */
	__u32 mark_frees; /* the allocator may map memory while it frees */
	__u32 sample_bytes; /* sample by bytes, at the distances of the map sample_gaps */
	__u32 empty; /* record nothing: for benchmarks */
	__u32 padding;
};

/* Quantiles that a distance between samples is drawn from. */
#define SAMPLE_GAPS 1024

_Static_assert(sizeof(struct memleak_config) == 64, "memleak_config is shared with Swift");

/* A block of a heap. */
struct memleak_key {
	__u64 address;
	__u32 pid;
	__u32 padding;
};

struct memleak_block {
	__u64 size;
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 stack; /* key of the stack table; 0: none */
};

struct memleak_total_key {
	__u64 stack;
	__u32 pid;
	__u32 padding;
};

/* The sum of one stack's blocks, outstanding or ever made; the kernel's are times their weight. */
struct memleak_total {
	__s64 bytes;
	__s64 count;
};

struct memleak_counters {
	__u64 allocations; /* recorded, mappings included */
	__u64 frees; /* of recorded blocks */
	__u64 unmatched_frees; /* of blocks that were not recorded */
	__u64 sampled_out; /* allocations passed over by sampling */
	__u64 filtered_out; /* … by their size */
	__u64 failed; /* calls that gave nothing */
	__u64 abandoned; /* calls that never returned: an exception or longjmp left them */
	__u64 stacks; /* put into the stack table */
	__u64 unseen_new; /* operator new whose return could not be watched */
};

_Static_assert(sizeof(struct memleak_counters) == 72, "memleak_counters is shared with Swift");

/* A call; kinds behind those of process_change.h. */
enum memleak_kind {
	MEMLEAK_MAPPING = PROCESS_CHANGES, /* mmap, munmap or mremap succeeded */
	MEMLEAK_TRACED, /* any call, for the trace */
};

struct memleak_event {
	__u32 kind;
	__u32 op;
	__u32 pid;
	__u32 tid;
	__u64 enter_ns; /* CLOCK_MONOTONIC */
	__u64 time_ns;
	__u64 address; /* the old block or range; of a trace's free: the block */
	__u64 length; /* bytes asked for; of munmap and mremap: of the old range */
	__u64 new_length;
	__u64 map_flags; /* of mmap and mremap */
	__u64 result;
	__u64 stack;
	__u32 recorded;
	__u32 padding;
	char comm[16];
};

_Static_assert(sizeof(struct memleak_event) == 104, "memleak_event is shared with Swift");

#endif
