/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* One user stack, as BPF/lib/stack.h captures it: return addresses, innermost first. */
#ifndef SWIFTMEM_STACK_RECORD_H
#define SWIFTMEM_STACK_RECORD_H

#include <linux/types.h>
#include "stack_end.h"

#define STACK_FRAMES 127

struct stack_record {
	__u32 count;
	__u32 end; /* enum stack_end */
	__u64 frames[STACK_FRAMES];
};

_Static_assert(sizeof(struct stack_record) == 1024, "stack_record is shared with Swift");

#endif
