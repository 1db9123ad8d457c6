/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* How user stacks are walked: the programs' read-only data `.rodata.stack`. */
#ifndef SWIFTMEM_STACK_CONFIG_H
#define SWIFTMEM_STACK_CONFIG_H

#include <linux/types.h>

enum stack_mode {
	STACK_FP, /* frame pointers only */
	STACK_DWARF, /* tables only */
	STACK_AUTO, /* tables where there are any, else frame pointers */
	/* for Scripts/bench-stacks */
	STACK_KERNEL, /* bpf_get_stack's, by frame pointers */
	STACK_CALLER, /* none but the caller */
};

struct stack_config {
	__u32 mode; /* enum stack_mode */
	__u32 padding;
};

#endif
