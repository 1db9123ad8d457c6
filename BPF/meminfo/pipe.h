/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The pages that wait in a pipe (fs/pipe.c, pipe_write()); what was spliced into it has another owner. */
#ifndef SWIFTMEM_MEMINFO_PIPE_H
#define SWIFTMEM_MEMINFO_PIPE_H

#include "meminfo/holding.h"

static __noinline u64 pipe_bytes(struct pipe_inode_info *pipe)
{
	u32 tail = BPF_CORE_READ(pipe, tail), used = BPF_CORE_READ(pipe, head) - tail;
	u32 size = BPF_CORE_READ(pipe, ring_size), step = stride(used), looked = 0, own = 0;
	u64 buffers = (u64)BPF_CORE_READ(pipe, bufs);

	/* read without its lock: it may have changed meanwhile */
	if (!used || used > size)
		return 0;
	for (u32 i = 0; i < LOOKS && i * step < used; i++) {
		u32 slot = (tail + i * step) & (size - 1);
		struct pipe_buffer *buffer = (void *)buffers + slot * bpf_core_type_size(struct pipe_buffer);

		looked++;
		own += is_own_page((u64)BPF_CORE_READ(buffer, page));
	}
	return looked ? (u64)own * used / looked << PAGE_SHIFT : 0;
}

#endif
