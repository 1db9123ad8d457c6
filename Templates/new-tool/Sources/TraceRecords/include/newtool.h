/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What BPF/newtool.bpf.c counts, per process and CPU; only ever growing. */
#ifndef SWIFTMEM_NEWTOOL_H
#define SWIFTMEM_NEWTOOL_H

#include <linux/types.h>

#define NEWTOOL_PROCESSES 10240

/* A process; its start distinguishes it from a later one of the same id. */
struct newtool_key {
	__u64 start_ns;
	__u32 pid;
	__u32 padding;
};

_Static_assert(sizeof(struct newtool_key) == 16, "newtool_key is shared with Swift");

struct newtool_counters {
	__u64 tasks; /* processes and threads that it started */
	__u64 threads; /* those that are threads, where the program can tell */
	__u64 seen_ns; /* CLOCK_MONOTONIC of the last one */
	char comm[16];
};

_Static_assert(sizeof(struct newtool_counters) == 40, "newtool_counters is shared with Swift");

#endif
