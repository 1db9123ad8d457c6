/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Writers that are made to sleep until dirty pages are written: balance_dirty_pages() (mm/page-writeback.c). */
#ifndef SWIFTMEM_MEMSTALL_WRITERS_H
#define SWIFTMEM_MEMSTALL_WRITERS_H

#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/twice.h"
#include "memstall/pieces.h"

/* `pause`: ticks that it is to sleep. */
static __always_inline int writer_sleeps(long pause)
{
	struct beginning b = { .cause = MEMSTALL_DIRTY_THROTTLE, .kind = MEMSTALL_BY_DIRTY, .order = -1 };

	if (pause > 0) /* else it goes on */
		begin_stall(&b);
	return 0;
}

TWICE("tp_btf/balance_dirty_pages", dirty_sleep, btf)
{
	return writer_sleeps(ctx[6]);
}

/* Before 6.15 the limits are arguments of their own. */
TWICE("tp_btf/balance_dirty_pages", dirty_limits, btf)
{
	return writer_sleeps(ctx[10]);
}

#endif
