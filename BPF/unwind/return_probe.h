/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the kernel's return probes have done to a stack. To catch a function's return, of any tracer's, the
 * kernel replaces its return address by the address of a trampoline, and keeps the real one in the
 * thread's list of return instances (kernel/events/uprobes.c, prepare_uretprobe()). From it the real
 * address is taken wherever the trampoline stands.
 */
#ifndef SWIFTMEM_UNWIND_RETURN_PROBE_H
#define SWIFTMEM_UNWIND_RETURN_PROBE_H

#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "unwind/state.h"

/* The kernel keeps no more (MAX_URETPROBE_DEPTH). */
#define RETURN_INSTANCES 64

/* Where the return address of a frame lies that begins at `sp`, as return instances have it. */
#if defined(__TARGET_ARCH_x86)
#define RETURN_PLACE(sp) ((sp)-8)
#else
#define RETURN_PLACE(sp) (sp)
#endif

/* The trampoline of the current process; 0 where nobody has caught a return yet. It stays until exec. */
static __always_inline u64 trampoline_of(struct unwind_walk *walk)
{
	if (!walk->trampoline) {
		struct task_struct *task = (void *)bpf_get_current_task();

		walk->trampoline = BPF_CORE_READ(task, mm, uprobes_state.xol_area, vaddr);
	}
	return walk->trampoline;
}

/* Is the return instance at `stack` of the frame whose return address is at `place`? */
#if defined(__TARGET_ARCH_x86)
#define IS_OF_FRAME(stack, place) ((stack) == (place))
#else
/* A chain of frame pointers does not say where a frame begins: the next instance above is its own. */
#define IS_OF_FRAME(stack, place) ((stack) >= (place))
#endif

/* The return address that the trampoline stands for at `place`; 0: none is known. */
__noinline u64 replaced_return(u64 place)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct return_instance *instance = BPF_CORE_READ(task, utask, return_instances);

	for (int i = 0; i < RETURN_INSTANCES; i++) {
		if (!instance)
			break;
		if (IS_OF_FRAME(BPF_CORE_READ(instance, stack), place))
			return BPF_CORE_READ(instance, orig_ret_vaddr);
		instance = BPF_CORE_READ(instance, next);
	}
	return 0;
}

/* Is the return of a call caught that had the stack pointer `sp` at the probed instruction `func`? */
__noinline int is_return_caught(u64 sp, u64 func)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct return_instance *instance = BPF_CORE_READ(task, utask, return_instances);

	for (int i = 0; i < RETURN_INSTANCES; i++) {
		if (!instance)
			break;
		if (BPF_CORE_READ(instance, stack) == sp && BPF_CORE_READ(instance, func) == func)
			return 1;
		instance = BPF_CORE_READ(instance, next);
	}
	return 0;
}

/* The return address that `address`, read at `place`, stands for: itself, or what the trampoline has replaced. */
static __always_inline u64 real_return(struct unwind_walk *walk, u64 address, u64 place)
{
	u64 real = 0;

	if (address && address == trampoline_of(walk))
		real = replaced_return(place);
	return real ? real : address;
}

#endif
