/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What BPF/growth.bpf.c keeps and sends. Pages are the kernel's. */
#ifndef SWIFTMEM_GROWTH_H
#define SWIFTMEM_GROWTH_H

#include <linux/types.h>
#include "process_change.h"

struct growth_config {
	__u32 by_cgroup; /* ask the filter of those that begin */
	__u32 follow; /* a traced process's children are traced */
};

_Static_assert(sizeof(struct growth_config) == 8, "growth_config is shared with Swift");

/* Kinds of resident pages, in the order of mm->rss_stat[]; swap entries are counted there too. */
enum growth_kind {
	GROWTH_FILE,
	GROWTH_ANONYMOUS,
	GROWTH_SWAP,
	GROWTH_SHARED,
	GROWTH_KINDS,
};

/* An address space, and how its resident pages changed since it was first seen. All but `now` are sums. */
struct growth_space {
	__u64 born; /* CLOCK_MONOTONIC; tells it from an earlier one at the same address */
	__u32 pid;
	__u32 serial; /* tells this process's address spaces apart: each exec gives a new one */
	__u32 narrow; /* a program of 32 bits, whose stacks are not walked */
	__u32 gone;
	__s64 central[GROWTH_KINDS]; /* the counters' central parts, when last looked at */
	__s64 base[GROWTH_KINDS]; /* pages when it was first seen; none where it began under the trace */
	__s64 net[GROWTH_KINDS]; /* sum of the changes that were seen since */
	__s64 now[GROWTH_KINDS]; /* pages when space_sum_iter ran last, read from the counters */
	__s64 faulted; /* pages that stacks of it made resident, less what the same faults replaced */
	__s64 elsewhere; /* made resident by no stack of it: by fork, exec, kernel threads, other processes */
	__s64 returned; /* given back by itself: munmap, madvise, brk, mremap, truncate */
	__s64 reclaimed; /* taken by reclaim, its own or another's */
	__s64 taken; /* taken by other processes otherwise */
	__s64 ended; /* gone with its end, by exit or exec */
	char comm[16];
};

_Static_assert(sizeof(struct growth_space) == 216, "growth_space is shared with Swift");

struct growth_space_key {
	__u32 pid;
	__u32 serial;
};

struct growth_site_key {
	__u64 stack; /* key of the stack table; 0: none */
	__u32 pid;
	__u32 serial;
};

/* What one stack of an address space made resident. */
struct growth_site {
	__s64 pages[GROWTH_KINDS];
	__u64 huge; /* pages of those that came as huge pages */
	__u64 unplaced; /* pages whose addresses were not noted */
	__u64 faults; /* that made pages resident; a system call counts once for each change */
	__u64 majors; /* major faults */
	__u64 wait_ns; /* of major faults, from the fault to its page */
	__u32 id; /* in growth_chunk */
	__u32 padding;
};

_Static_assert(sizeof(struct growth_site) == 80, "growth_site is shared with Swift");

#define GROWTH_CHUNK 64

/* GROWTH_CHUNK consecutive pages, from page number * GROWTH_CHUNK on. */
struct growth_chunk_key {
	__u64 number;
	__u32 pid;
	__u32 serial;
};

struct growth_chunk {
	__u32 ids[GROWTH_CHUNK]; /* the site that made the page resident last; 0: none that is known */
};

struct growth_counters {
	__u64 stacks; /* put into the stack table */
};

/* A kind of record behind those of process_change.h. */
#define GROWTH_MOVED PROCESS_CHANGES

/* mremap moves pages to another address: in bytes, the pages, and the room that was found, which may be larger. */
struct growth_move {
	__u32 kind;
	__u32 pid;
	__u32 serial; /* of the address space */
	__u32 parked; /* the serial under which the chunks of its pages are kept until user space has them */
	__u64 from, length, new_length;
	__u64 to, found;
};

_Static_assert(sizeof(struct growth_move) == 56, "growth_move is shared with Swift");

#endif
