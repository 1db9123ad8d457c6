/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A system call's number, arguments and kind of caller, as the registers have them until it returns. */
#ifndef SWIFTMEM_CALL_REGISTERS_H
#define SWIFTMEM_CALL_REGISTERS_H

#include "vmlinux/core.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* A constant to the verifier. Linux 5.11: fields of the current task by plain loads, without a helper for each */
#define HAS_CURRENT_TASK_BTF bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)

#if defined(__TARGET_ARCH_x86)

/* arch/x86/include/asm/thread_info.h */
#define TS_COMPAT 2

static __always_inline bool is_compat(void)
{
	if (HAS_CURRENT_TASK_BTF)
		return bpf_get_current_task_btf()->thread_info.status & TS_COMPAT;
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, thread_info.status) & TS_COMPAT;
}

static __always_inline long call_number(struct pt_regs *regs)
{
	return (long)regs->orig_ax;
}

/* The argument registers keep their values until the return to user space. */
static __always_inline void call_words(struct pt_regs *regs, bool compat, u64 words[6])
{
	if (compat) {
		words[0] = (u32)regs->bx;
		words[1] = (u32)regs->cx;
		words[2] = (u32)regs->dx;
		words[3] = (u32)regs->si;
		words[4] = (u32)regs->di;
		words[5] = (u32)regs->bp;
	} else {
		words[0] = regs->di;
		words[1] = regs->si;
		words[2] = regs->dx;
		words[3] = regs->r10;
		words[4] = regs->r8;
		words[5] = regs->r9;
	}
}

#elif defined(__TARGET_ARCH_arm64)

/* arch/arm64/include/asm/thread_info.h */
#define TIF_32BIT 22

static __always_inline bool is_compat(void)
{
	if (HAS_CURRENT_TASK_BTF)
		return bpf_get_current_task_btf()->thread_info.flags >> TIF_32BIT & 1;
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, thread_info.flags) >> TIF_32BIT & 1;
}

static __always_inline long call_number(struct pt_regs *regs)
{
	return BPF_CORE_READ(regs, syscallno);
}

/* The first register holds the result at the return; its argument is kept apart. */
static __always_inline void call_words(struct pt_regs *regs, bool compat, u64 words[6])
{
	u64 mask = compat ? 0xffffffff : ~0ULL;

	words[0] = regs->orig_x0 & mask;
	for (int i = 1; i < 6; i++)
		words[i] = regs->user_regs.regs[i] & mask;
}

#endif

/* A constant to the verifier. Linux 5.15 */
#define HAS_CALL_REGISTERS bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)

/* The registers of the system call that the current task is in; NULL for a kernel's thread, which is in none. */
static __always_inline struct pt_regs *current_registers(void)
{
	if (!HAS_CALL_REGISTERS)
		return NULL;
	struct task_struct *task = bpf_get_current_task_btf();

	if (task->flags & PF_KTHREAD)
		return NULL;
	return (void *)bpf_task_pt_regs(task);
}

/*
 * Tells the system call that the current task is in from the one before it, unless both have the same arguments and
 * came from the same place; 0 where there is none.
 */
static __always_inline u64 call_identity(void)
{
	struct pt_regs *regs = current_registers();

	if (!regs)
		return 0;
	u64 identity = call_number(regs), words[6];

	call_words(regs, false, words);
#pragma unroll
	for (int i = 0; i < 4; i++)
		identity = identity * 0x9e3779b97f4a7c15 + words[i];
	return identity | 1;
}

#endif
