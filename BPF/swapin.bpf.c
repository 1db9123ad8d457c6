/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * swapin: pages that came back from swap, by the process that had them read, and
 * what it waited for them.
 *
 * do_swap_page() (mm/memory.c, swap_faults.h), in the task that faults; shmem, madvise and
 * swapoff come by other ways to the same reads:
 *   swapin_readahead()
 *     swap_read_folio()		reads.h: each folio; swap_readpage() until 6.8
 *       zero-filled			count_memcg_events SWPIN_ZERO (6.12)
 *       zswap_load()			count_memcg_events ZSWPIN
 *       the device			count_memcg_events PSWPIN
 *   count_memcg_events PGMAJFAULT	the fault had to read
 *   folio_lock_or_retry()		may return, to be called again
 *   add_mm_counter(MM_SWAPENTS, -n)	kmem:rss_stat, swap_entries.h: n pages are mapped
 */
#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/unpreempted.h"
#include "swapin/process.h"
#include "swapin/progress.h"
#include "swapin/reads.h"
#include "swapin/swap_entries.h"
#include "swapin/swap_entries_unsplit.h"
#include "swapin/swap_faults.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Pages by the kernel's own counting of them (6.13). */
SEC("tp_btf/count_memcg_events")
int UNPREEMPTED(memcg_event_btf, struct mem_cgroup *memcg, int event, unsigned long count)
{
	bool device = event == (int)bpf_core_enum_value(enum vm_event_item, PSWPIN);
	bool zswap = bpf_core_enum_value_exists(enum vm_event_item, ZSWPIN) &&
		     event == (int)bpf_core_enum_value(enum vm_event_item, ZSWPIN);
	bool zero = bpf_core_enum_value_exists(enum vm_event_item, SWPIN_ZERO) &&
		    event == (int)bpf_core_enum_value(enum vm_event_item, SWPIN_ZERO);

	if (device || zswap || zero) {
		struct swapin_counters *c = current_process();

		if (!c)
			return 0;
		c->pages += count;
		if (zswap)
			c->zswap_pages += count;
		if (zero)
			c->zero_pages += count;
		struct progress *p = config.asked_by_event ? current_progress(true) : NULL;

		if (p)
			p->reads += count;
		return 0;
	}
	if (config.asked_by_event && event == (int)bpf_core_enum_value(enum vm_event_item, PGMAJFAULT)) {
		/* a file's major faults count the same event: theirs follow no read from swap */
		struct progress *p = current_progress(false);

		if (p && p->reads) {
			struct swapin_counters *c = current_process();

			if (c)
				c->asked_faults += 1;
			p->reads = 0;
		}
	}
	return 0;
}
