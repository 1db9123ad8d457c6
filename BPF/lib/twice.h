/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Two programs for one event: the second sees what the kernel skipped the first for (lib/unpreempted.h says when).
 *
 * A task whose own first program ran is marked, and its second does nothing but take the mark off. Skipped by both are
 * events behind which two tasks of one CPU were preempted, one in each program. User space attaches the seconds, and
 * sets `twice`, on kernels that skip so (KernelFeature.preemptibleTracepoints). The event must be one of tasks: one in
 * an interrupt would find the mark of the task that it interrupted.
 */
#ifndef SWIFTMEM_TWICE_H
#define SWIFTMEM_TWICE_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "lib/loss.h"
#include "lib/unpreempted.h"

const volatile u32 twice SEC(".rodata.twice") = 0;

struct first_runs {
	u64 marks; /* one bit a pair of programs */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct first_runs);
} first_runs SEC(".maps");

static __always_inline struct first_runs *own_first_runs(void)
{
	struct first_runs *runs =
		bpf_task_storage_get(&first_runs, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!runs)
		lost(LOSS_TASK_STATE);
	return runs;
}

/* Does the first program go on? It leaves its mark. Where a mark can't be had, neither program does anything. */
static __always_inline bool first_runs_now(u64 mark)
{
	if (!twice)
		return true;
	struct first_runs *runs = own_first_runs();

	if (runs)
		runs->marks |= mark;
	return runs;
}

/* Was the first program skipped? */
static __always_inline bool first_was_skipped(u64 mark)
{
	struct first_runs *runs = own_first_runs();

	if (!runs)
		return false;
	bool ran = runs->marks & mark;

	runs->marks &= ~mark;
	return !ran;
}

/*
 * The programs EVENT_MECHANISM and EVENT_second_MECHANISM; what stands behind it is the body of both, as with BPF_PROG.
 * The second switches preemption off only for its work: a switch of tasks that is due is made where it is on again.
 */
#define TWICE(section, event, mechanism, args...) \
	enum { mark_of_##event##_##mechanism = __COUNTER__ }; \
	_Static_assert(mark_of_##event##_##mechanism < 64, "more pairs of programs than marks"); \
	static __always_inline int ____##event##_##mechanism(unsigned long long *ctx, ##args); \
	SEC(section) int event##_##mechanism(unsigned long long *ctx) \
	{ \
		int result = 0; \
		keep_cpu(); \
		if (first_runs_now(1ULL << mark_of_##event##_##mechanism)) \
			result = WITH_ARGUMENTS(____##event##_##mechanism(___bpf_ctx_cast(args))); \
		leave_cpu(); \
		return result; \
	} \
	SEC(section) int event##_second_##mechanism(unsigned long long *ctx) \
	{ \
		if (!first_was_skipped(1ULL << mark_of_##event##_##mechanism)) \
			return 0; \
		keep_cpu(); \
		int result = WITH_ARGUMENTS(____##event##_##mechanism(___bpf_ctx_cast(args))); \
		leave_cpu(); \
		return result; \
	} \
	static __always_inline int ____##event##_##mechanism(unsigned long long *ctx, ##args)

#endif
