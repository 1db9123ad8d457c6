/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What BPF/swapin.bpf.c counts, per process and CPU, in the kernel's pages; only ever growing. */
#ifndef SWIFTMEM_SWAPIN_H
#define SWIFTMEM_SWAPIN_H

#include <linux/types.h>

#define SWAPIN_PROCESSES 10240
#define SWAPIN_CGROUPS 4096
#define SWAPIN_PATH 512
#define SWAPIN_SLOTS 36 /* powers of two of microseconds: up to nine hours */

struct swapin_config {
	__u32 pages_by_fault; /* swap-ins are what page faults took from swap entries */
	__u32 waits_by_fault; /* a wait goes from the page fault to the mapped page */
	__u32 asked_by_event; /* PGMAJFAULT events tell which reads a fault asked for */
	__u32 swapouts; /* growth of a process's swap entries is counted */
};

_Static_assert(sizeof(struct swapin_config) == 16, "swapin_config is shared with Swift");

/* A process; its start distinguishes it from a later one of the same id. */
struct swapin_key {
	__u64 start_ns;
	__u32 pid;
	__u32 padding;
};

_Static_assert(sizeof(struct swapin_key) == 16, "swapin_key is shared with Swift");

struct swapin_counters {
	__u64 pages; /* from swap, whatever kind of it; zswap_ and zero_pages are parts of it */
	__u64 zswap_pages;
	__u64 zero_pages;
	__u64 asked_faults; /* faults that had to read: the rest of the pages is read ahead */
	__u64 swapout_pages;
	__u64 waits;
	__u64 wait_ns;
	__u64 longest_ns[2]; /* of the epochs below: the one now, and the one before it */
	__u32 epoch[2];
	__u64 cgroup; /* kernfs id of its memory cgroup, 0 unknown */
	__u64 seen_ns;
	char comm[16];
};

_Static_assert(sizeof(struct swapin_counters) == 112, "swapin_counters is shared with Swift");

/* A memory cgroup's path: the names from the leaf to the root, each with its NUL. */
struct swapin_cgroup {
	__u32 length;
	char names[SWAPIN_PATH];
};

_Static_assert(sizeof(struct swapin_cgroup) == 516, "swapin_cgroup is shared with Swift");

#endif
