/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Keeps a program of user probes on its thread's own kernel stack.
 *
 * Since 6.13 (e00931c02568, "bpf: Enable private stack for eligible subprogs") the
 * JIT gives programs of the kprobe kind with 64 bytes of stack or more a stack per
 * CPU. Kernel probes run with preemption off; user probes run with it on, so on a
 * preemptible kernel two threads of one CPU share that stack in mid-program: seen as
 * a panic of 7.2 with eight threads in malloc. A program with a tail call in it,
 * taken or not, gets none.
 */
#ifndef SWIFTMEM_PRIVATE_STACK_H
#define SWIFTMEM_PRIVATE_STACK_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>

#define NO_PROGRAMS(name) \
	struct { \
		__uint(type, BPF_MAP_TYPE_PROG_ARRAY); \
		__uint(max_entries, 1); \
		__type(key, u32); \
		__type(value, u32); \
	} name SEC(".maps")

NO_PROGRAMS(no_programs);
/* One is of programs that attach in one way: since 6.18 the kernel holds tail calls to that (expected_attach_type). */
NO_PROGRAMS(no_sessions);

/* Read-only: the verifier sees that the call is never reached, after it has seen the call. */
const volatile u32 never SEC(".rodata.never") = 0;

#define NO_PRIVATE_STACK(ctx, programs) \
	do { \
		if (never) \
			bpf_tail_call(ctx, &programs, 0); \
	} while (0)

#endif
