/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A program that keeps its CPU to its end.
 *
 * Programs on kernel functions run with preemption on, since 7.0 those on tracepoints too. While a task is
 * preempted in one, the kernel skips that program for every other task of the CPU (prog->active, in
 * __bpf_prog_enter_recur() and __bpf_trace_run()), and what two tasks add to one per-CPU number may be lost.
 * A map operation ends with the release of a lock, where a pending switch is made, so that is not rare.
 *
 * UNPREEMPTED switches preemption off as the program's first act, where the kernel has that (6.10), so that numbers stay
 * whole. A switch of tasks that falls due meanwhile is made where preemption is on again, still in the program: others
 * are skipped all the same, and lib/twice.h is for what must not be.
 * Global functions may not be called so before 6.15: an object that calls some defines CALLS_GLOBAL_FUNCTIONS, and
 * user space says by `keeps_cpu` whether it may.
 */
#ifndef SWIFTMEM_UNPREEMPTED_H
#define SWIFTMEM_UNPREEMPTED_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

extern void bpf_preempt_disable(void) __ksym __weak;
extern void bpf_preempt_enable(void) __ksym __weak;

#ifdef CALLS_GLOBAL_FUNCTIONS
const volatile u32 keeps_cpu SEC(".rodata.keeps_cpu") = 0;
#else
#define keeps_cpu 1
#endif

static __always_inline void keep_cpu(void)
{
	if (keeps_cpu && bpf_preempt_disable)
		bpf_preempt_disable();
}

static __always_inline void leave_cpu(void)
{
	if (keeps_cpu && bpf_preempt_enable)
		bpf_preempt_enable();
}

/* A call whose arguments are words, of whatever type the function has them. */
#define WITH_ARGUMENTS(call) \
	({ \
		_Pragma("GCC diagnostic push") \
			_Pragma("GCC diagnostic ignored \"-Wint-conversion\"") typeof(call) value = call; \
		_Pragma("GCC diagnostic pop") value; \
	})

/* As libbpf's BPF_PROG, for SEC("tp_btf"), "raw_tp", "fentry" and "fexit"; ctx is the arguments as words. */
#define UNPREEMPTED(name, args...) \
	name(unsigned long long *ctx); \
	static __always_inline typeof(name(0)) ____##name(unsigned long long *ctx, ##args); \
	typeof(name(0)) name(unsigned long long *ctx) \
	{ \
		keep_cpu(); \
		typeof(name(0)) result = WITH_ARGUMENTS(____##name(___bpf_ctx_cast(args))); \
		leave_cpu(); \
		return result; \
	} \
	static __always_inline typeof(name(0)) ____##name(unsigned long long *ctx, ##args)

#endif
