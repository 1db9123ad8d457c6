/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The record of a victim whose memory is back: reaped by the kernel's thread, or freed by its own exit. */
#ifndef SWIFTMEM_OOMKILL_END_H
#define SWIFTMEM_OOMKILL_END_H

#include "vmlinux/mm.h"
#include <bpf/bpf_helpers.h>
#include "lib/loss.h"
#include "lib/page.h"
#include "lib/rss.h"
#include "oomkill/state.h"

static __always_inline void memory_is_back(u32 pid, bool reaped)
{
	struct dying *d = bpf_map_lookup_elem(&victims, &pid);

	if (!d)
		return;
	u64 pages[MM_COUNTERS] = {};

	/* an exited process has let go of its mm: nothing to read, nothing held */
	if (reaped && d->mm)
		mm_rss(d->mm, pages);
	struct oomkill_end *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		lost(LOSS_RING_FULL);
	} else {
		e->kind = OOMKILL_END;
		e->victim_pid = pid;
		e->time_ns = bpf_ktime_get_ns();
		e->since_kill_ns = e->time_ns - d->killed_ns;
		e->kill_id = d->kill_id;
		e->reaped = reaped;
		e->page_bytes = PAGE_SIZE;
		e->before_pages = d->pages;
		e->after_pages = pages[MM_FILEPAGES] + pages[MM_ANONPAGES] + pages[MM_SHMEMPAGES];
		bpf_ringbuf_submit(e, 0);
	}
	bpf_map_delete_elem(&victims, &pid);
}

#endif
