/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Why the walk of a user stack ended. This is the one list: BPF/unwind gives these values,
 * loss_causes.h counts those that leave frames out, StackEnd (Sources/Reports) has their
 * words, Docs/unwinding.md a line for each. Tests compare them all with it.
 */
#ifndef SWIFTMEM_STACK_END_H
#define SWIFTMEM_STACK_END_H

enum stack_end {
	STACK_NO_END, /* a chain of frame pointers does not say where it is whole */
	STACK_WHOLE, /* at the outermost frame */
	/* the rest leave frames out, and are counted as lost */
	STACK_CUT, /* deeper than STACK_FRAMES: the outermost frames are missing */
	STACK_NO_MAPPING, /* the next address lies in no mapping known yet */
	STACK_NO_RULE, /* in code without unwind information */
	STACK_UNSUPPORTED, /* in code whose unwind information is not followed */
	STACK_UNREADABLE, /* the stack's memory could not be read */
	STACK_IMPLAUSIBLE, /* the next frame would lie below this one, or too far away */
	STACK_ENDS, /* how many there are */
};

#endif
