/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Pages that come back, by the function that reads each folio (mm/page_io.c), and whether
 * zswap has it (mm/zswap.c):
 *   swap_read_folio(folio, …)     swap_readpage(page, …) until 6.8, a page at a time: larger
 *                                 folios are swapped in since 6.12
 *     zswap_load(folio)           until 6.13 it says whether it had the folio, since then 0 or -ENOENT
 *     __frontswap_load(page)      until 6.5, 0 where it had the page; called only when there is a zswap
 */
#ifndef SWIFTMEM_SWAPIN_READS_H
#define SWIFTMEM_SWAPIN_READS_H

#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/unpreempted.h"
#include "pagecache/folio.h"
#include "swapin/process.h"
#include "swapin/progress.h"

static __always_inline int reading(u32 pages)
{
	struct progress *p = current_progress(true);

	if (p) {
		p->reading = pages;
		p->zswap = 0;
	}
	return 0;
}

static __always_inline int zswap_answered(bool has)
{
	struct progress *p = current_progress(false);

	if (p && p->reading)
		p->zswap = has ? 2 : 1;
	return 0;
}

/* Only kernels that keep zero-filled pages apart ask zswap for every other one. */
static __always_inline int reading_done(void)
{
	struct progress *p = current_progress(false);

	if (!p || !p->reading)
		return 0;
	struct swapin_counters *c = current_process();

	if (c) {
		c->pages += p->reading;
		if (p->zswap == 2)
			c->zswap_pages += p->reading;
		else if (p->zswap == 0 && bpf_core_enum_value_exists(enum vm_event_item, SWPIN_ZERO))
			c->zero_pages += p->reading;
	}
	p->reading = 0;
	if (!p->fault_ns && !p->earlier_ns)
		forget_progress();
	return 0;
}

SEC("fentry/swap_read_folio")
int UNPREEMPTED(read_folio_fentry, struct folio *folio)
{
	return reading(folio_pages(folio));
}

SEC("fexit/swap_read_folio")
int UNPREEMPTED(read_folio_fexit)
{
	return reading_done();
}

SEC("kprobe/swap_read_folio")
int BPF_KPROBE(read_folio_kprobe, struct folio *folio)
{
	return reading(folio_pages(folio));
}

SEC("kretprobe/swap_read_folio")
int BPF_KRETPROBE(read_folio_kretprobe)
{
	return reading_done();
}

SEC("fentry/swap_readpage")
int UNPREEMPTED(read_page_fentry)
{
	return reading(1);
}

SEC("fexit/swap_readpage")
int UNPREEMPTED(read_page_fexit)
{
	return reading_done();
}

SEC("kprobe/swap_readpage")
int BPF_KPROBE(read_page_kprobe)
{
	return reading(1);
}

SEC("kretprobe/swap_readpage")
int BPF_KRETPROBE(read_page_kretprobe)
{
	return reading_done();
}

SEC("fexit/zswap_load")
int UNPREEMPTED(zswap_bool_fexit, struct folio *folio, bool has)
{
	return zswap_answered(has);
}

SEC("fexit/zswap_load")
int UNPREEMPTED(zswap_int_fexit, struct folio *folio, int error)
{
	return zswap_answered(error != -ENOENT);
}

SEC("kretprobe/zswap_load")
int BPF_KRETPROBE(zswap_bool_kretprobe, long result)
{
	return zswap_answered((u8)result);
}

SEC("kretprobe/zswap_load")
int BPF_KRETPROBE(zswap_int_kretprobe, long result)
{
	return zswap_answered((int)result != -ENOENT);
}

SEC("fexit/__frontswap_load")
int UNPREEMPTED(frontswap_fexit, void *page, int error)
{
	return zswap_answered(error == 0);
}

SEC("kretprobe/__frontswap_load")
int BPF_KRETPROBE(frontswap_kretprobe, long result)
{
	return zswap_answered((int)result == 0);
}

#endif
