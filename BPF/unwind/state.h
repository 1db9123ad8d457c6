/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What a thread has of its walks: the record, where the walk is, rules of places it has been at. */
#ifndef SWIFTMEM_UNWIND_STATE_H
#define SWIFTMEM_UNWIND_STATE_H

#include "vmlinux/core.h"
#include "stack_record.h"
#include "unwind/verifier.h"

/* No frame reaches further than this from one to the next. */
#define FRAME_LIMIT (16 << 20)
/* User addresses of both architectures are below; so is no null page. */
#define IS_USER_TEXT(address) ((address) >= 4096 && (address) < (1ULL << 56))

/*
 * An address that a function keeps on its stack. arm64's may be signed there (pointer authentication), in the bits
 * that user addresses don't have.
 */
#if defined(__TARGET_ARCH_arm64)
#define USER_ADDRESS(word) ((word) & ((1ULL << 48) - 1))
#else
#define USER_ADDRESS(word) (word)
#endif

#define STACK_SEED 0x736d656d

/* A stack's hash, goes on with one more of its frames. */
static __always_inline u64 stack_mix(u64 hash, u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ (hash >> 29);
}

/* Where a walk is. */
struct unwind_walk {
	u64 pc, sp, fp;
	u64 lr; /* arm64's link register, in a frame that a signal interrupted; 0: not known */
	u64 start, size; /* the mapping found last */
	u32 table, offset, rules;
	u32 exact; /* pc is where the frame is, not behind a call */
	u64 hash; /* of the frames so far */
	u64 generation; /* of the mapping and of `known` */
	u64 trampoline; /* of return probes in this process (return_probe.h); 0: not known yet */
};

/* A place that the thread's stacks have led through, and its rule: most stacks are of those. */
struct unwind_known {
	u64 at;
	u64 rule;
};

#define UNWIND_KNOWN 64
#define UNWIND_PLACE(at) MASKED((at)*0x9e3779b97f4a7c15ULL >> 48, UNWIND_KNOWN)

/*
 * A thread's: the record and the walk that fills it. The walk is here and not in the
 * program's own variables so that the verifier knows nothing of it: whatever way a step
 * took, the next is the same to it. A word behind the record's frames is the walk's, so
 * that an index below 128 stays within.
 */
struct stack_state {
	struct stack_record record;
	struct unwind_walk walk;
	struct unwind_known known[UNWIND_KNOWN];
};

#endif
