/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reads by tracepoint (Linux 6.12). mm/filemap.c:
 *   filemap_read() / filemap_splice_read()
 *     filemap_get_pages()              once per batch of folios
 *                                      mm_filemap_get_pages, at its end
 */
#ifndef SWIFTMEM_PAGECACHE_READS_H
#define SWIFTMEM_PAGECACHE_READS_H

#include "lib/unpreempted.h"
#include "pagecache/accounting.h"
#include "pagecache/transfer.h"

/*
 * A call that the kernel counts among its task's reads is told by that from the same call made again, which splice() is
 * not: there a range that begins where the one before it did is another call's.
 */
static __always_inline bool is_same_call(struct request *r, struct address_space *mapping, u64 index, u64 last,
					 s64 start, u64 calls, enum transfer kind)
{
	struct task_struct *task = bpf_get_current_task_btf();
	bool counted = bpf_core_field_exists(task->ioac.syscr) && start >= 0 && kind != SPLICE;

	if (r->mapping != (u64)mapping || r->calls != calls || r->start != start)
		return false;
	if (start < 0 && r->last != last)
		return false;
	return r->index < index || (counted && r->index == index);
}

/*
 * The tracepoint names the range that is still to be read, once per batch. filemap_get_pages() returns without it
 * when the last folio of the batch is not read yet and not the only one: what lies before that folio goes by unseen.
 * So a call's pages are counted from where it began, which its registers tell, to the end of the range; and of each
 * later range of the same call (sendfile() goes piece by piece) what lies behind. Where the beginning is not known, a
 * range that ends where the one before it did goes on with it.
 *
 * Every buffered read comes by here: fields are read by plain loads, which the verifier grants for what a typed
 * tracepoint hands over, and pointers only stored and compared, so that no helper is called for either.
 */
SEC("tp_btf/mm_filemap_get_pages")
int UNPREEMPTED(read_batch_btf, struct address_space *mapping, unsigned long index, unsigned long last)
{
	if (!filtered_in())
		return 0;
	struct request *r = current_request();
	struct pagecache_counters *c = counters_of(mapping);

	if (!r || !c)
		return 0;
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs = current_registers();
	struct transfer_call call = {};
	s64 start = regs && transfer_of(regs, 0, &call) && call.kind <= LAST_READ ? call.start : -1;
	u64 calls = 0;

	if (start >> PAGE_SHIFT > (s64)index)
		start = -1;
	if (bpf_core_field_exists(task->ioac.syscr))
		calls = task->ioac.syscr;
	bool same = is_same_call(r, mapping, index, last, start, calls, call.kind);
	u64 first = same ? r->next : start >= 0 ? start >> PAGE_SHIFT : index;

	/* pages went by unseen: of this file, if it is the call's */
	if (start >= 0 && first < index && !reads_mapping(&call, mapping)) {
		start = -1;
		same = is_same_call(r, mapping, index, last, start, calls, call.kind);
		first = same ? r->next : index;
	}
	if (same)
		first = r->index;
	claim_runs(c, r, mapping, first, last);
	if (!same)
		r->next = first;
	r->mapping = (u64)mapping;
	r->calls = calls;
	r->start = start;
	r->last = last;
	r->index = index;
	r->first = first;

	s64 size = mapping->host->i_size;

	if (size <= 0)
		return 0;
	u64 end = (u64)(size - 1) >> PAGE_SHIFT;

	if (last < end)
		end = last;
	if (end < r->next)
		return 0;
	COUNT(c->read_access_pages, end - r->next + 1);
	r->next = end + 1;
	return 0;
}

#ifndef PAGECACHE_BY_FILE
/* Behind read_batch_btf: that found where the range begins. Without it what went by unseen stays so. */
SEC("tp_btf/mm_filemap_get_pages")
int UNPREEMPTED(ahead_read_btf, struct address_space *mapping, unsigned long index, unsigned long last)
{
	struct request *r = filtered_in() ? known_request() : NULL;

	if (r)
		pages_used(mapping, r->mapping == (u64)mapping ? r->first : index, last);
	return 0;
}
#endif

#endif
