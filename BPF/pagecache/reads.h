/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reads by tracepoint (Linux 6.12). mm/filemap.c:
 *   filemap_read() / filemap_splice_read()
 *     filemap_get_pages()              once per batch of folios
 *                                      mm_filemap_get_pages, at its end
 */
#ifndef SWIFTMEM_PAGECACHE_READS_H
#define SWIFTMEM_PAGECACHE_READS_H

#include "pagecache/accounting.h"

/*
 * The tracepoint names the range that is still to be read, once per batch: a
 * batch that goes on with the request before it adds nothing. The number of
 * read calls done so far tells it from a new request that ends at the same page.
 *
 * filemap_get_pages() returns without its tracepoint when the batch's last folio is
 * another task's to fill, so that a call's first pages may go by unseen. How many
 * bytes the call read is known when the task's next call comes.
 */
static __always_inline void count_unseen_batches(struct request *r, struct address_space *mapping, u64 syscalls,
						 u64 bytes)
{
	u64 read = (bytes - r->bytes) >> PAGE_SHIFT;

	if (r->mapping == (u64)mapping && r->syscalls + 1 == syscalls && read > r->counted) {
		struct pagecache_counters *c = counters_of(mapping);

		if (c)
			COUNT(c->read_access_pages, read - r->counted);
	}
	r->syscalls = syscalls;
	r->bytes = bytes;
	r->counted = 0;
}

/*
 * Every buffered read comes by here: fields are read by plain loads, which the verifier
 * grants for what a typed tracepoint hands over, and pointers only stored and compared,
 * so that no helper is called for either.
 */
SEC("tp_btf/mm_filemap_get_pages")
int BPF_PROG(read_batch_btf, struct address_space *mapping, unsigned long index, unsigned long last)
{
	if (!filtered_in())
		return 0;
	struct request *r = current_request();
	struct pagecache_counters *c = counters_of(mapping);

	if (!r || !c)
		return 0;
	struct task_struct *task = bpf_get_current_task_btf();
	u64 syscalls = 0;

	if (bpf_core_field_exists(task->ioac.syscr))
		syscalls = task->ioac.syscr;
	claim_runs(c, r, mapping, index, last);

	bool more = r->mapping == (u64)mapping && r->last == last && r->index < index && r->syscalls == syscalls;

	if (bpf_core_field_exists(task->ioac.syscr) && r->syscalls != syscalls)
		count_unseen_batches(r, mapping, syscalls, task->ioac.rchar);
	r->mapping = (u64)mapping;
	r->last = last;
	r->index = index;
	if (more)
		return 0;
	s64 size = mapping->host->i_size;

	if (size <= 0)
		return 0;
	u64 end = (u64)(size - 1) >> PAGE_SHIFT;

	if (last < end)
		end = last;
	if (end < index)
		return 0;
	r->counted += end - index + 1;
	COUNT(c->read_access_pages, end - index + 1);
	return 0;
}

/* A task's last call has none after it. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(last_read_btf, struct task_struct *task)
{
	struct request *r = filtered_in() ? known_request() : NULL;

	if (!r || !bpf_core_field_exists(task->ioac.syscr))
		return 0;
	struct address_space *mapping = (void *)r->mapping;

	/* the file may be closed since, and its inode gone */
	if (mapping && BPF_CORE_READ(mapping, host, i_mapping) == mapping)
		count_unseen_batches(r, mapping, task->ioac.syscr, task->ioac.rchar);
	return 0;
}

#ifndef PAGECACHE_BY_FILE
SEC("tp_btf/mm_filemap_get_pages")
int BPF_PROG(ahead_read_btf, struct address_space *mapping, unsigned long index, unsigned long last)
{
	if (filtered_in())
		pages_used(mapping, index, last);
	return 0;
}
#endif

#endif
