/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* One user stack, as BPF/lib/stack.h captures it: return addresses, innermost first. */
#ifndef SWIFTMEM_STACK_RECORD_H
#define SWIFTMEM_STACK_RECORD_H

#include <linux/types.h>

#define STACK_FRAMES 127

/* Why the walk ended; 0 with frame pointers, whose chain has no end of its own. */
enum stack_flag {
	STACK_CUT = 1, /* deeper than STACK_FRAMES: the outermost frames are missing */
	STACK_WHOLE = 2, /* at the outermost frame */
	STACK_NO_MAPPING = 4, /* the next address lies in no mapping known */
	STACK_NO_RULE = 8, /* in code without unwind information */
	STACK_UNSUPPORTED = 16, /* in code whose unwind information is not followed */
	STACK_UNREADABLE = 32, /* the stack's memory could not be read */
	STACK_IMPLAUSIBLE = 64, /* the next frame would lie below this one, or too far away */
};

struct stack_record {
	__u32 count;
	__u32 flags;
	__u64 frames[STACK_FRAMES];
};

_Static_assert(sizeof(struct stack_record) == 1024, "stack_record is shared with Swift");

#endif
