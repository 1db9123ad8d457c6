/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* One user stack, as BPF/include/stack.h captures it: return addresses, innermost first. */
#ifndef SWIFTMEM_STACK_RECORD_H
#define SWIFTMEM_STACK_RECORD_H

#include <linux/types.h>

#define STACK_FRAMES 127

enum stack_flag {
	STACK_CUT = 1, /* deeper than STACK_FRAMES: the outermost frames are missing */
};

struct stack_record {
	__u32 count;
	__u32 flags;
	__u64 frames[STACK_FRAMES];
};

_Static_assert(sizeof(struct stack_record) == 1024, "stack_record is shared with Swift");

#endif
