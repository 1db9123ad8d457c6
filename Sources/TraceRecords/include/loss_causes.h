/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Why a program could not record something. Order is the `losses` map's index. */
#ifndef SWIFTMEM_LOSS_CAUSES_H
#define SWIFTMEM_LOSS_CAUSES_H

#include "stack_end.h"

enum loss_cause {
	LOSS_RING_FULL, /* no room in the ring buffer: an event is missing */
	LOSS_MAP_FULL, /* no room in a hash map: something is not tracked */
	LOSS_TASK_STATE, /* no task storage could be had */
	LOSS_NO_STACK, /* the stack could not be captured */
	LOSS_UNREADABLE, /* kernel or user memory could not be read */
	LOSS_NO_BASELINE, /* first sight of a process: its earlier state is unknown */
	LOSS_RETURN_MISSED, /* a function's return was not seen */
	LOSS_NAME, /* no room for a file's name */
	LOSS_SKIPPED, /* the kernel counts these: runs of a program it skipped */
	LOSS_STACK_ENDS, /* from here on stacks that lack frames, by enum stack_end from STACK_CUT on */
	LOSS_CAUSES = LOSS_STACK_ENDS + STACK_ENDS - STACK_CUT,
};

#endif
