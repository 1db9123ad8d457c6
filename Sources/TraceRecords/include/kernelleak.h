/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What BPF/kernelleak.bpf.c and its reader share; totals and events are memleak.h's. */
#ifndef SWIFTMEM_KERNELLEAK_H
#define SWIFTMEM_KERNELLEAK_H

#include <linux/types.h>
#include "memleak.h"

enum kernelleak_kind {
	KERNELLEAK_KMALLOC = 1,
	KERNELLEAK_CACHE, /* kmem_cache_alloc */
	KERNELLEAK_PAGES,
	KERNELLEAK_PERCPU,
};

/* Programs that record allocations: each has its own room for a stack. */
enum kernelleak_program {
	KERNELLEAK_BY_KMALLOC,
	KERNELLEAK_BY_KMALLOC_NODE,
	KERNELLEAK_BY_CACHE,
	KERNELLEAK_BY_CACHE_NODE,
	KERNELLEAK_BY_PAGES,
	KERNELLEAK_BY_PERCPU,
	KERNELLEAK_PROGRAMS,
};

/* Tracepoints of frees, on which two programs stand. */
enum kernelleak_free {
	KERNELLEAK_KFREE,
	KERNELLEAK_CACHE_FREE,
	KERNELLEAK_PAGE_FREE,
	KERNELLEAK_PERCPU_FREE,
	KERNELLEAK_FREES,
};

#define KERNELLEAK_CODE 12
#define KERNELLEAK_CACHE_NAME 40

/* A function's addresses, from first to before `end`. */
struct kernelleak_code {
	__u64 first;
	__u64 end;
};

struct kernelleak_config {
	__u64 min_size; /* bytes; smaller allocations are not recorded */
	__u64 max_size;
	__u64 vmemmap_base; /* where the kernel's variables of these names are; 0: not known */
	__u64 page_offset_base;
	struct kernelleak_code slab[KERNELLEAK_CODE]; /* functions that take pages for the slab allocator */
	__u32 own_pid;
	__u32 cpus;
	__u32 totals; /* keep bytes and counts by stack */
	__u32 trace; /* an event for each call */
	__u32 sampled; /* ask `sampling` */
	__u32 by_cache; /* only the cache of this name */
	__u32 unseen_frees; /* some frees are not seen: an address that is not recorded may stand for another */
	__u32 padding;
	char cache[KERNELLEAK_CACHE_NAME];
};

_Static_assert(sizeof(struct kernelleak_config) == 296, "kernelleak_config is shared with Swift");

/* User space changes it while the programs run. */
struct kernelleak_sampling {
	__u32 threshold; /* a random word below it is recorded; 0: all */
	__u32 weight; /* how many allocations a recorded one stands for */
};

struct kernelleak_block {
	__u32 size;
	__u32 weight;
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 stack; /* key of the stack table; 0: none */
};

struct kernelleak_cache {
	__u64 name_address;
	__u64 unseen; /* its objects' addresses that were given out again without a free between */
	__u32 wanted;
	__u32 padding;
	char name[KERNELLEAK_CACHE_NAME];
};

struct kernelleak_counters {
	struct memleak_counters calls; /* frees include those in bulk; filtered_out is by size or cache */
	__u64 bulk_frees; /* of recorded ones, in bulk */
	__u64 rcu_frees; /* of recorded ones, by kfree_rcu() */
	__u64 unseen_frees; /* of recorded ones: their address was given out again */
	__u64 null_frees;
	__u64 cut_stacks;
	__u64 rescued_frees; /* seen by the second program: the first was interrupted by them */
};

_Static_assert(sizeof(struct kernelleak_counters) == 120, "kernelleak_counters is shared with Swift");

#define KSTACK_FRAMES 96

enum kstack_flag {
	KSTACK_CUT = 1, /* as deep as KSTACK_FRAMES: the outermost frames may be missing */
	KSTACK_SLAB_PAGES = 2, /* pages that the slab allocator itself takes */
};

/* One kernel stack and whose memory it got, as BPF/lib/kernel_stack.h captures it. */
struct kstack_record {
	__u32 count;
	__u32 flags;
	__u32 kind; /* enum kernelleak_kind */
	__u32 padding;
	__u64 cache; /* address of the slab cache; 0: none, or not known */
	__u64 frames[KSTACK_FRAMES]; /* innermost first, the tracing program's own included */
};

_Static_assert(sizeof(struct kstack_record) == 24 + 8 * KSTACK_FRAMES, "kstack_record is shared with Swift");

#endif
