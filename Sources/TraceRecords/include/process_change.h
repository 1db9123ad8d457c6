/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What BPF/lib/processes.h tells of the lives of traced processes. */
#ifndef SWIFTMEM_PROCESS_CHANGE_H
#define SWIFTMEM_PROCESS_CHANGE_H

#include <linux/types.h>

enum process_change_kind {
	PROCESS_FORKED = 1, /* pid was forked by `parent` */
	PROCESS_EXECED,
	PROCESS_EXITED, /* the last thread of pid */
	PROCESS_UNMAPPED, /* a stack of pid led to code in no mapping known */
	PROCESS_CHANGES, /* kinds of a tool's own records begin here */
};

struct process_change {
	__u32 kind;
	__u32 pid;
	__u32 parent;
	__u32 narrow; /* after exec: a program of 32 bits */
	__u64 time_ns; /* CLOCK_MONOTONIC */
	char comm[16];
};

_Static_assert(sizeof(struct process_change) == 40, "process_change is shared with Swift");

#endif
