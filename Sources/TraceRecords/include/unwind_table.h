/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Unwind tables: what BPF/unwind walks stacks by, and what Sources/Unwind makes of a
 * file's call-frame information. Docs/unwinding.md tells the whole.
 *
 * A table is an array of blocks of words. Its text is cut into chunks of 1 KiB; word n
 * is the number of the word where chunk n's rows begin. A row is the place in the chunk
 * from which it holds and the number of its rule; a chunk's first row holds from its
 * beginning, and has the number of rows instead. All rows of a chunk are in one block.
 * Rules, two words each, begin at a block of their own.
 */
#ifndef SWIFTMEM_UNWIND_TABLE_H
#define SWIFTMEM_UNWIND_TABLE_H

#include <linux/types.h>

#define UNWIND_TABLES 4096 /* places for tables; the first stands for none */

#define UNWIND_BLOCK_WORDS 1024
#define UNWIND_BLOCK_RULES (UNWIND_BLOCK_WORDS / 2)
#define UNWIND_CHUNK_SHIFT 10
#define UNWIND_CHUNK_BYTES (1 << UNWIND_CHUNK_SHIFT)

struct unwind_block {
	__u32 words[UNWIND_BLOCK_WORDS];
};

/*
 * A rule: how to get from a frame to its caller's.
 *   bits 0-3	enum unwind_cfa: the canonical frame address
 *   bits 4-7	enum unwind_saved: the caller's frame pointer, and arm64's return address
 *   bit 8	UNWIND_SIGNAL
 *   bits 16-39	signed: the offset of the frame address
 *   bits 40-63	signed: the offset of what is saved
 * On x86-64 the return address lies 8 below the frame address, or at SIGNAL's place.
 */
enum unwind_cfa {
	UNWIND_NONE, /* no information here */
	UNWIND_END, /* there is no caller: the return address is undefined */
	UNWIND_UNSUPPORTED, /* a way of saying it that is not followed */
	UNWIND_SP, /* stack pointer + offset */
	UNWIND_FP, /* frame pointer + offset */
	UNWIND_FP_DEREF, /* the word at frame pointer + offset */
	UNWIND_PLT, /* stack pointer + offset, + 8 where pc & 15 >= the saved offset */
	UNWIND_SIGNAL_FRAME, /* the kernel's signal frame: the interrupted registers */
};

enum unwind_saved {
	UNWIND_SAME, /* the frame pointer is the caller's */
	UNWIND_AT_CFA, /* it is at the frame address + offset; arm64's return address is behind it */
	UNWIND_AT_FP, /* it is at the frame pointer + offset */
	UNWIND_RA_ONLY, /* arm64: only the return address is saved, at the frame address + offset */
};

#define UNWIND_SIGNAL (1 << 8) /* the caller's pc is where it was interrupted, not behind a call */

#define UNWIND_RULE(cfa, offset, saved, saved_offset) \
	((__u64)(cfa) | (__u64)(saved) << 4 | ((__u64)(offset)&0xffffff) << 16 | (__u64)(saved_offset) << 40)
#define UNWIND_RULE_CFA(rule) ((rule)&15)
#define UNWIND_RULE_SAVED(rule) ((rule) >> 4 & 15)
#define UNWIND_RULE_OFFSET(rule) ((__s64)((rule) << 24) >> 40)
#define UNWIND_RULE_SAVED_OFFSET(rule) ((__s64)(rule) >> 40)

/* x86-64: struct rt_sigframe's registers, from the stack pointer in __restore_rt. */
#define UNWIND_SIGNAL_FP 120
#define UNWIND_SIGNAL_SP 160
#define UNWIND_SIGNAL_PC 168
/* arm64: likewise, in the vDSO's __kernel_rt_sigreturn: siginfo, then ucontext, whose last is the sigcontext. */
#define UNWIND_ARM64_SIGNAL_FP 544
#define UNWIND_ARM64_SIGNAL_LR 552
#define UNWIND_ARM64_SIGNAL_SP 560
#define UNWIND_ARM64_SIGNAL_PC 568

/* An executable mapping of a process. */
struct unwind_mapping {
	__u64 start;
	__u64 end;
	__u32 table; /* its place in the map of tables; 0: none, frame pointers are walked */
	__u32 offset; /* of `start` in the table's text */
	__u32 rules; /* the table's first block of rules */
	__u32 padding;
};

_Static_assert(sizeof(struct unwind_mapping) == 32, "unwind_mapping is shared with Swift");

#define UNWIND_NO_CODE 0xffffffff /* a table of nothing: the kernel's uprobe trampoline */

#define UNWIND_PAGE_MAPPINGS 64
#define UNWIND_PAGES 32

/* A process's mappings by address, a page of them. */
struct unwind_page_key {
	__u32 pid;
	__u32 page;
};

struct unwind_page {
	__u32 pid;
	__u32 generation; /* of one reading: pages of another do not belong to it */
	__u32 count; /* mappings in this page; those behind them begin at ~0 */
	__u32 pages; /* of the first page: how many there are */
	__u64 firsts[UNWIND_PAGES]; /* of the first page: where each begins, ~0 behind them */
	struct unwind_mapping mappings[UNWIND_PAGE_MAPPINGS];
};

_Static_assert(sizeof(struct unwind_page) == 2320, "unwind_page is shared with Swift");

#endif
