/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What BPF/kmemleak.bpf.c and its reader share. */
#ifndef SWIFTMEM_KMEMLEAK_H
#define SWIFTMEM_KMEMLEAK_H

#include <linux/types.h>

enum kmemleak_kind {
	KMEMLEAK_KMALLOC = 1,
	KMEMLEAK_CACHE, /* kmem_cache_alloc */
	KMEMLEAK_PAGES,
	KMEMLEAK_PERCPU,
};

/* Programs that record allocations: each has its own room for a stack. */
enum kmemleak_program {
	KMEMLEAK_BY_KMALLOC,
	KMEMLEAK_BY_KMALLOC_NODE,
	KMEMLEAK_BY_CACHE,
	KMEMLEAK_BY_CACHE_NODE,
	KMEMLEAK_BY_PAGES,
	KMEMLEAK_BY_PERCPU,
	KMEMLEAK_PROGRAMS,
};

/* Tracepoints of frees, on which two programs stand. */
enum kmemleak_free {
	KMEMLEAK_KFREE,
	KMEMLEAK_CACHE_FREE,
	KMEMLEAK_PAGE_FREE,
	KMEMLEAK_PERCPU_FREE,
	KMEMLEAK_FREES,
};

#define KMEMLEAK_CODE 12
#define KMEMLEAK_CACHE_NAME 40

/* A function's addresses, from first to before `end`. */
struct kmemleak_code {
	__u64 first;
	__u64 end;
};

struct kmemleak_config {
	__u64 min_size; /* bytes; smaller allocations are not recorded */
	__u64 max_size;
	__u64 vmemmap_base; /* where the kernel's variables of these names are; 0: not known */
	__u64 page_offset_base;
	struct kmemleak_code slab[KMEMLEAK_CODE]; /* functions that take pages for the slab allocator */
	__u32 own_pid;
	__u32 cpus;
	__u32 page_size;
	__u32 totals;	 /* keep bytes and counts by stack */
	__u32 trace;	 /* an event for each call */
	__u32 sampled;	 /* ask `sampling` */
	__u32 by_cache;	 /* only the cache of this name */
	__u32 unseen_frees; /* some frees are not seen: an address that is not recorded may stand for another */
	char cache[KMEMLEAK_CACHE_NAME];
};

_Static_assert(sizeof(struct kmemleak_config) == 296, "kmemleak_config is shared with Swift");

/* User space changes it while the programs run. */
struct kmemleak_sampling {
	__u32 threshold; /* a random word below it is recorded; 0: all */
	__u32 weight;	 /* how many allocations a recorded one stands for */
};

struct kmemleak_block {
	__u32 size;
	__u32 weight;
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 stack;   /* key of the stack table; 0: none */
};

struct kmemleak_total {
	__s64 bytes; /* times their weight */
	__s64 count;
};

struct kmemleak_cache {
	__u64 name_address;
	__u64 unseen; /* its objects' addresses that were given out again without a free between */
	__u32 wanted;
	__u32 padding;
	char name[KMEMLEAK_CACHE_NAME];
};

struct kmemleak_counters {
	__u64 allocations;     /* recorded */
	__u64 frees;	       /* of recorded ones, those in bulk included */
	__u64 unmatched_frees; /* of what was not recorded */
	__u64 sampled_out;
	__u64 filtered_out; /* by size or cache */
	__u64 failed;
	__u64 stacks;	    /* put into the stack table */
	__u64 bulk_frees;   /* of recorded ones, in bulk */
	__u64 rcu_frees;    /* of recorded ones, by kfree_rcu() */
	__u64 unseen_frees; /* of recorded ones: their address was given out again */
	__u64 null_frees;
	__u64 cut_stacks;
	__u64 rescued_frees; /* seen by the second program: the first was interrupted by them */
};

_Static_assert(sizeof(struct kmemleak_counters) == 104, "kmemleak_counters is shared with Swift");

#endif
