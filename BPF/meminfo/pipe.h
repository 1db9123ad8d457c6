/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Pages of data in a pipe (fs/pipe.c, pipe_write()); pages spliced into it have another owner. */
#ifndef SWIFTMEM_MEMINFO_PIPE_H
#define SWIFTMEM_MEMINFO_PIPE_H

#include "meminfo/holding.h"

static long look_at_buffer(u32 i, struct walk *w)
{
	u32 slot = (w->first + i * w->step) & w->mask;
	struct pipe_buffer *buffer = (void *)w->base + slot * bpf_core_type_size(struct pipe_buffer);

	w->looked++;
	w->own += is_own_page((u64)BPF_CORE_READ(buffer, page));
	return 0;
}

static __always_inline u64 pipe_bytes(struct pipe_inode_info *pipe, bool loops)
{
	u32 tail = BPF_CORE_READ(pipe, tail), used = BPF_CORE_READ(pipe, head) - tail;
	u32 size = BPF_CORE_READ(pipe, ring_size);
	struct walk w = { .base = (u64)BPF_CORE_READ(pipe, bufs), .first = tail, .mask = size - 1 };

	/* the pipe's lock is not held: it may change meanwhile */
	if (!used || used > size)
		return 0;
	look_at(&w, look_at_buffer, used, loops);
	return scaled(&w, used) << PAGE_SHIFT;
}

#endif
