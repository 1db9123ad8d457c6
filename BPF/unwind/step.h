/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* One step of a walk: from a frame to its caller's. Gives why the walk ends, or STACK_NO_END. */
#ifndef SWIFTMEM_UNWIND_STEP_H
#define SWIFTMEM_UNWIND_STEP_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "unwind/maps.h"
#include "unwind/return_probe.h"
#include "unwind/state.h"
#include "unwind_table.h"

/* What a call puts on the stack. */
#if defined(__TARGET_ARCH_x86)
#define CALL_TAKES 8
#else
#define CALL_TAKES 0
#endif

/* Kinds of rules that no table has. */
enum {
	UNWIND_POINTERS = 13, /* by frame pointers */
	UNWIND_OPAQUE = 14, /* code without a rule */
	UNWIND_UNMAPPED = 15, /* in no mapping known */
};

/*
 * Reads a word of the stack. Always into the program's own variables, with a constant size: hardened usercopy
 * looks much longer at a place in a map, and before 5.12 the verifier wants a constant size.
 */
static __always_inline bool unwind_read(u64 *word, u64 address)
{
	return bpf_probe_read_user(word, sizeof(*word), (void *)address) == 0;
}

/* From a frame to its caller by the chain of frame pointers. */
static __always_inline u32 unwind_by_pointer(struct unwind_walk *walk)
{
	u64 fp = walk->fp;

	if (!fp)
		return STACK_WHOLE; /* what the ABI has at the outermost frame */
	if (fp - walk->sp > FRAME_LIMIT || (fp & 7))
		return STACK_IMPLAUSIBLE;
	u64 words[2];

	if (bpf_probe_read_user(words, sizeof(words), (void *)fp))
		return STACK_UNREADABLE;
	walk->sp = fp + sizeof(words);
	walk->fp = words[0];
	walk->pc = USER_ADDRESS(words[1]);
	walk->exact = 0;
	return STACK_NO_END;
}

/*
 * Is an address behind a call, as every return address is? On x86-64 that is e8 and four bytes, or ff with
 * 2 in its ModRM byte, whose operand takes up to five bytes more.
 */
static __always_inline bool unwind_is_behind_call(u64 pc)
{
#if defined(__TARGET_ARCH_x86)
	u64 code;

	if (!unwind_read(&code, pc - 8))
		return false;

#define CODE(before) (code >> (8 - (before)) * 8 & 0xff)
#define INDIRECT(before) (CODE(before) == 0xff && (CODE((before)-1) & 0x38) == 0x10)
	return CODE(5) == 0xe8 || INDIRECT(2) || INDIRECT(3) || INDIRECT(4) || INDIRECT(6) || INDIRECT(7);
#undef INDIRECT
#undef CODE
#else
	u32 code;

	if (bpf_probe_read_user(&code, sizeof(code), (void *)(pc - 4)))
		return false;
	/* bl; blr, blraa and their like */
	return (code & 0xfc000000) == 0x94000000 || (code & 0xfefff800) == 0xd63f0000;
#endif
}

/*
 * Code without a rule in a file that has some: what an assembler or a compiler of the program's own has put there, as
 * node's builtins. By its frame pointer, where that leads behind a call.
 */
static __always_inline u32 unwind_without_rule(struct unwind_walk *walk)
{
	/* start-up code written by hand: the ABI has no frame pointer there */
	if (!walk->fp)
		return STACK_WHOLE;
	if (stack_config.mode != STACK_AUTO || unwind_by_pointer(walk) != STACK_NO_END)
		return STACK_NO_RULE;
	walk->pc = real_return(walk, walk->pc, RETURN_PLACE(walk->sp));
	return unwind_is_behind_call(walk->pc) ? STACK_NO_END : STACK_NO_RULE;
}

/* Where the kernel's struct rt_sigframe has the interrupted registers, from the stack pointer in its trampoline. */
#if defined(__TARGET_ARCH_x86)
#define SIGNAL_FP UNWIND_SIGNAL_FP
#define SIGNAL_SP UNWIND_SIGNAL_SP
#define SIGNAL_PC UNWIND_SIGNAL_PC
#else
#define SIGNAL_FP UNWIND_ARM64_SIGNAL_FP
#define SIGNAL_SP UNWIND_ARM64_SIGNAL_SP
#define SIGNAL_PC UNWIND_ARM64_SIGNAL_PC
#endif

/*
 * The interrupted registers, which the kernel has put into its signal frame. The handler
 * may run on a stack of its own, above or below the other.
 */
static __always_inline u32 unwind_signal_frame(struct unwind_walk *walk, u64 sp)
{
	u64 saved_fp, saved_pc, saved_sp;

	if (!unwind_read(&saved_fp, sp + SIGNAL_FP) || !unwind_read(&saved_pc, sp + SIGNAL_PC) ||
	    !unwind_read(&saved_sp, sp + SIGNAL_SP))
		return STACK_UNREADABLE;
#if defined(__TARGET_ARCH_arm64)
	u64 saved_lr;

	if (!unwind_read(&saved_lr, sp + UNWIND_ARM64_SIGNAL_LR))
		return STACK_UNREADABLE;
	walk->lr = saved_lr;
#endif
	walk->fp = saved_fp;
	walk->pc = saved_pc;
	walk->sp = saved_sp;
	walk->exact = 1;
	return STACK_NO_END;
}

#if defined(__TARGET_ARCH_x86)

/* The return address and the frame pointer that a frame has saved, by its frame address. */
static __always_inline u32 unwind_saved(struct unwind_walk *walk, u64 cfa, u64 fp, u32 saved, s64 offset)
{
	u64 words[6];

	if (saved == UNWIND_SAME) {
		if (!unwind_read(words, cfa - 8))
			return STACK_UNREADABLE;
		walk->pc = words[0];
	} else if (saved == UNWIND_AT_CFA && offset == -16) {
		if (bpf_probe_read_user(words, 16, (void *)(cfa - 16)))
			return STACK_UNREADABLE;
		walk->fp = words[0];
		walk->pc = words[1];
	} else if (saved == UNWIND_AT_CFA && offset >= -48 && offset < -16 && !(offset & 7) &&
		   !bpf_probe_read_user(words, 48, (void *)(cfa - 48))) {
		/* both by one read, with what is between them */
		walk->pc = words[5];
		walk->fp = offset == -24   ? words[3]
			   : offset == -32 ? words[2]
			   : offset == -40 ? words[1]
			   : offset == -48 ? words[0]
					   : 0;
	} else {
		if (!unwind_read(words, cfa - 8) ||
		    !unwind_read(words + 1, (saved == UNWIND_AT_FP ? fp : cfa) + offset))
			return STACK_UNREADABLE;
		walk->pc = words[0];
		walk->fp = words[1];
	}
	return STACK_NO_END;
}

#else

static __always_inline u32 unwind_saved(struct unwind_walk *walk, u64 cfa, u64 fp, u32 saved, s64 offset)
{
	u64 words[2];

	if (saved == UNWIND_AT_CFA) {
		if (bpf_probe_read_user(words, sizeof(words), (void *)(cfa + offset)))
			return STACK_UNREADABLE;
		walk->fp = words[0];
		walk->pc = words[1];
	} else if (saved == UNWIND_RA_ONLY) {
		if (!unwind_read(words, cfa + offset))
			return STACK_UNREADABLE;
		walk->pc = words[0];
	} else if (walk->lr && walk->exact) {
		walk->pc = walk->lr;
	} else {
		/* the return address is in a register that only the innermost frame has */
		return STACK_UNSUPPORTED;
	}
	walk->pc = USER_ADDRESS(walk->pc);
	return STACK_NO_END;
}

#endif

/* From a frame to its caller by a rule. */
static __always_inline u32 unwind_by_rule(struct unwind_walk *walk, u64 rule)
{
	u32 kind = UNWIND_RULE_CFA(rule), saved = UNWIND_RULE_SAVED(rule);
	s64 offset = UNWIND_RULE_OFFSET(rule), saved_offset = UNWIND_RULE_SAVED_OFFSET(rule);
	u64 sp = walk->sp, fp = walk->fp;
	u64 cfa = (kind == UNWIND_FP || kind == UNWIND_FP_DEREF ? fp : sp) + offset;

	if (kind < UNWIND_SP) {
		if (kind == UNWIND_END)
			return STACK_WHOLE;
		return kind == UNWIND_UNSUPPORTED ? STACK_UNSUPPORTED : unwind_without_rule(walk);
	}
	if (kind >= UNWIND_POINTERS) {
		if (kind == UNWIND_POINTERS)
			return unwind_by_pointer(walk);
		return kind == UNWIND_OPAQUE ? STACK_NO_RULE : STACK_NO_MAPPING;
	}
	if (kind == UNWIND_SIGNAL_FRAME)
		return unwind_signal_frame(walk, sp);
#if defined(__TARGET_ARCH_x86)
	if (kind == UNWIND_PLT) {
		cfa += ((walk->pc & 15) >= (u64)saved_offset) * 8;
		saved = UNWIND_SAME;
	}
#endif
	if (kind == UNWIND_FP_DEREF) {
		u64 word;

		if (!unwind_read(&word, cfa))
			return STACK_UNREADABLE;
		cfa = word;
	}
	/* a frame takes room (but arm64's leaf may take none), and not without end */
	if (cfa - sp - CALL_TAKES >= FRAME_LIMIT || (cfa & 7))
		return STACK_IMPLAUSIBLE;
	u32 end = unwind_saved(walk, cfa, fp, saved, saved_offset);

	if (end)
		return end;
	walk->sp = cfa;
	walk->exact = 0;
	return STACK_NO_END;
}

#endif
