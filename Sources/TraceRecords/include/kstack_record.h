/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* One kernel stack and whose memory it got, as BPF/lib/kernel_stack.h captures it. */
#ifndef SWIFTMEM_KSTACK_RECORD_H
#define SWIFTMEM_KSTACK_RECORD_H

#include <linux/types.h>

#define KSTACK_FRAMES 96

enum kstack_flag {
	KSTACK_CUT = 1, /* as deep as KSTACK_FRAMES: the outermost frames may be missing */
	KSTACK_SLAB_PAGES = 2, /* pages that the slab allocator itself takes */
};

struct kstack_record {
	__u32 count;
	__u32 flags;
	__u32 kind; /* enum kernelleak_kind */
	__u32 padding;
	__u64 cache; /* address of the slab cache; 0: none, or not known */
	__u64 frames[KSTACK_FRAMES]; /* innermost first, the tracing program's own included */
};

_Static_assert(sizeof(struct kstack_record) == 24 + 8 * KSTACK_FRAMES, "kstack_record is shared with Swift");

#endif
