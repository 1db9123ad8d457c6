/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The numbers and arguments of shared-memory system calls, for 64-bit and 32-bit callers. */
#ifndef SWIFTMEM_SHM_CALLS_H
#define SWIFTMEM_SHM_CALLS_H

#include "kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "shmsnoop.h"

/* Calls whose arguments are placed as in one of these, told apart by the number. */
enum variant {
	PLAIN,
	IPC, /* ipc(call, first, second, third, ptr) */
	AT, /* a directory's descriptor comes first */
	PAGES, /* mmap2(): the offset is in pages */
	HALVES, /* ftruncate64(): the length is in two words */
	HALVES_EVEN, /* … which begin at an even register (EABI) */
};

#define CALL(kind, variant) ((kind) | (variant) << 8)
#define CALL_KIND(call) ((call)&0xff)
#define CALL_VARIANT(call) ((call) >> 8)

#if defined(__TARGET_ARCH_x86)

/* arch/x86/entry/syscalls/syscall_64.tbl */
static __always_inline u32 native_call(long id, bool all)
{
	switch (id) {
	case 29: return CALL(SHM_CALL_GET, PLAIN);
	case 30: return CALL(SHM_CALL_AT, PLAIN);
	case 31: return CALL(SHM_CALL_CTL, PLAIN);
	case 67: return CALL(SHM_CALL_DT, PLAIN);
	}
	if (!all)
		return SHM_CALL_NONE;
	switch (id) {
	case 2: return CALL(SHM_CALL_OPEN, PLAIN);
	case 9: return CALL(SHM_CALL_MMAP, PLAIN);
	case 11: return CALL(SHM_CALL_MUNMAP, PLAIN);
	case 72: return CALL(SHM_CALL_FCNTL, PLAIN);
	case 77: return CALL(SHM_CALL_TRUNCATE, PLAIN);
	case 87: return CALL(SHM_CALL_UNLINK, PLAIN);
	case 257: return CALL(SHM_CALL_OPEN, AT);
	case 263: return CALL(SHM_CALL_UNLINK, AT);
	case 319: return CALL(SHM_CALL_MEMFD, PLAIN);
	case 447: return CALL(SHM_CALL_SECRET, PLAIN);
	}
	return SHM_CALL_NONE;
}

/* arch/x86/entry/syscalls/syscall_32.tbl */
static __always_inline u32 compat_call(long id, bool all)
{
	switch (id) {
	case 117: return CALL(SHM_CALL_GET, IPC); /* the kind is in its first argument */
	case 395: return CALL(SHM_CALL_GET, PLAIN);
	case 396: return CALL(SHM_CALL_CTL, PLAIN);
	case 397: return CALL(SHM_CALL_AT, PLAIN);
	case 398: return CALL(SHM_CALL_DT, PLAIN);
	}
	if (!all)
		return SHM_CALL_NONE;
	switch (id) {
	case 5: return CALL(SHM_CALL_OPEN, PLAIN);
	case 10: return CALL(SHM_CALL_UNLINK, PLAIN);
	case 55: return CALL(SHM_CALL_FCNTL, PLAIN);
	case 91: return CALL(SHM_CALL_MUNMAP, PLAIN);
	case 93: return CALL(SHM_CALL_TRUNCATE, PLAIN);
	case 192: return CALL(SHM_CALL_MMAP, PAGES);
	case 194: return CALL(SHM_CALL_TRUNCATE, HALVES);
	case 221: return CALL(SHM_CALL_FCNTL, PLAIN);
	case 295: return CALL(SHM_CALL_OPEN, AT);
	case 301: return CALL(SHM_CALL_UNLINK, AT);
	case 356: return CALL(SHM_CALL_MEMFD, PLAIN);
	case 447: return CALL(SHM_CALL_SECRET, PLAIN);
	}
	return SHM_CALL_NONE;
}

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct thread_info {
	u32 status;
};
struct task_struct___thread_info {
	struct thread_info thread_info;
};
#pragma clang attribute pop

#define TS_COMPAT 2

static __always_inline bool is_compat(void)
{
	struct task_struct___thread_info *task = (void *)bpf_get_current_task();

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

/* include/uapi/asm-generic/unistd.h */
static __always_inline u32 native_call(long id, bool all)
{
	switch (id) {
	case 194: return CALL(SHM_CALL_GET, PLAIN);
	case 195: return CALL(SHM_CALL_CTL, PLAIN);
	case 196: return CALL(SHM_CALL_AT, PLAIN);
	case 197: return CALL(SHM_CALL_DT, PLAIN);
	}
	if (!all)
		return SHM_CALL_NONE;
	switch (id) {
	case 25: return CALL(SHM_CALL_FCNTL, PLAIN);
	case 35: return CALL(SHM_CALL_UNLINK, AT);
	case 46: return CALL(SHM_CALL_TRUNCATE, PLAIN);
	case 56: return CALL(SHM_CALL_OPEN, AT);
	case 215: return CALL(SHM_CALL_MUNMAP, PLAIN);
	case 222: return CALL(SHM_CALL_MMAP, PLAIN);
	case 279: return CALL(SHM_CALL_MEMFD, PLAIN);
	case 447: return CALL(SHM_CALL_SECRET, PLAIN);
	}
	return SHM_CALL_NONE;
}

/* arch/arm/tools/syscall.tbl, EABI: it has no ipc() */
static __always_inline u32 compat_call(long id, bool all)
{
	switch (id) {
	case 305: return CALL(SHM_CALL_AT, PLAIN);
	case 306: return CALL(SHM_CALL_DT, PLAIN);
	case 307: return CALL(SHM_CALL_GET, PLAIN);
	case 308: return CALL(SHM_CALL_CTL, PLAIN);
	}
	if (!all)
		return SHM_CALL_NONE;
	switch (id) {
	case 5: return CALL(SHM_CALL_OPEN, PLAIN);
	case 10: return CALL(SHM_CALL_UNLINK, PLAIN);
	case 55: return CALL(SHM_CALL_FCNTL, PLAIN);
	case 91: return CALL(SHM_CALL_MUNMAP, PLAIN);
	case 93: return CALL(SHM_CALL_TRUNCATE, PLAIN);
	case 192: return CALL(SHM_CALL_MMAP, PAGES);
	case 194: return CALL(SHM_CALL_TRUNCATE, HALVES_EVEN);
	case 221: return CALL(SHM_CALL_FCNTL, PLAIN);
	case 322: return CALL(SHM_CALL_OPEN, AT);
	case 328: return CALL(SHM_CALL_UNLINK, AT);
	case 385: return CALL(SHM_CALL_MEMFD, PLAIN);
	}
	return SHM_CALL_NONE;
}

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct thread_info {
	unsigned long flags;
};
struct task_struct___thread_info {
	struct thread_info thread_info;
};
struct pt_regs___number {
	s32 syscallno;
};
#pragma clang attribute pop

#define TIF_32BIT 22

static __always_inline bool is_compat(void)
{
	struct task_struct___thread_info *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, thread_info.flags) >> TIF_32BIT & 1;
}

static __always_inline long call_number(struct pt_regs *regs)
{
	struct pt_regs___number *numbered = (void *)regs;

	return BPF_CORE_READ(numbered, syscallno);
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

/* ipc/syscall.c, include/uapi/linux/ipc.h */
#define IPCCALL_SHMAT 21
#define IPCCALL_SHMDT 22
#define IPCCALL_SHMGET 23
#define IPCCALL_SHMCTL 24

#endif
