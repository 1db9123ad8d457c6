/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A process's command line: its arguments, each with its NUL, cut at the size. */
#ifndef SWIFTMEM_CMDLINE_RECORD_H
#define SWIFTMEM_CMDLINE_RECORD_H

#include <linux/types.h>

#define CMDLINE_BYTES 256
#define CMDLINE_PROCESSES 8192

struct cmdline {
	__u32 length;
	char bytes[CMDLINE_BYTES];
};

_Static_assert(sizeof(struct cmdline) == 260, "cmdline is shared with Swift");

#endif
