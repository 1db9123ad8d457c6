/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reads by the functions that do them, at their return: the position is behind what
 * was read. mm/filemap.c:
 *   filemap_read(iocb, iter, already_read)          Linux 5.12
 *   generic_file_buffered_read(iocb, iter, written) until 5.11
 *   filemap_splice_read(file, pos, pipe, len)       6.5; until then splice came by the function above
 */
#ifndef SWIFTMEM_PAGECACHE_FILEMAP_READ_H
#define SWIFTMEM_PAGECACHE_FILEMAP_READ_H

#include "lib/unpreempted.h"
#include "pagecache/accounting.h"

/* Plain loads, which the verifier grants for the arguments of a function too. */
static __always_inline void read_returned(struct kiocb *iocb, s64 before, s64 result)
{
	if (!filtered_in() || result <= before)
		return;
	s64 bytes = result - before;

	read_bytes(iocb->ki_filp->f_mapping, iocb->ki_pos - bytes, bytes);
}

/* Linux 5.12 */
SEC("fexit/filemap_read")
int UNPREEMPTED(read_fexit, struct kiocb *iocb, void *to, s64 before, s64 result)
{
	read_returned(iocb, before, result);
	return 0;
}

/* before that */
SEC("fexit/generic_file_buffered_read")
int UNPREEMPTED(buffered_read_fexit, struct kiocb *iocb, void *to, s64 before, s64 result)
{
	read_returned(iocb, before, result);
	return 0;
}

/* Linux 6.5; until then splice goes through the function above */
SEC("fexit/filemap_splice_read")
int UNPREEMPTED(splice_fexit, struct file *file, s64 *position, void *pipe, u64 length, u32 flags, s64 result)
{
	s64 after = 0;

	if (!filtered_in() || result <= 0)
		return 0;
	bpf_probe_read_kernel(&after, sizeof(after), position);
	read_bytes(BPF_CORE_READ(file, f_mapping), after - result, result);
	return 0;
}

#ifndef PAGECACHE_BY_FILE
static __always_inline void bytes_used(struct address_space *mapping, s64 after, s64 bytes)
{
	if (bytes > 0)
		pages_used(mapping, (u64)(after - bytes) >> PAGE_SHIFT, (u64)(after - 1) >> PAGE_SHIFT);
}

SEC("fexit/filemap_read")
int UNPREEMPTED(ahead_read_fexit, struct kiocb *iocb, void *to, s64 before, s64 result)
{
	if (filtered_in())
		bytes_used(BPF_CORE_READ(iocb, ki_filp, f_mapping), BPF_CORE_READ(iocb, ki_pos), result - before);
	return 0;
}

SEC("fexit/filemap_splice_read")
int UNPREEMPTED(ahead_splice_fexit, struct file *file, s64 *position, void *pipe, u64 length, u32 flags, s64 result)
{
	s64 after = 0;

	if (!filtered_in())
		return 0;
	bpf_probe_read_kernel(&after, sizeof(after), position);
	bytes_used(BPF_CORE_READ(file, f_mapping), after, result);
	return 0;
}
#endif

/*
 * A kernel has few slots for returns that are waited for (kprobes.rst, maxactive):
 * where many tasks sleep in a read, some returns are not seen. Such a read counts
 * as what it asked for, when its task reads again.
 */
static __always_inline void read_entered(struct address_space *mapping, u64 from, u64 count, u64 before)
{
	struct request *r = current_request();

	if (!r)
		return;
	if (r->read_open) {
		struct address_space *missed = (void *)r->read_mapping;
		s64 size = BPF_CORE_READ(missed, host, i_size);
		s64 left = size - (s64)r->read_from;

		lost(LOSS_RETURN_MISSED);
		read_bytes(missed, r->read_from, left < (s64)r->read_count ? left : (s64)r->read_count);
	}
	r->read_open = 1;
	r->read_mapping = address_of(mapping);
	r->read_from = from;
	r->read_count = count;
	r->read_before = before;
}

static __always_inline void read_left(s64 result)
{
	if (!filtered_in())
		return;
	struct request *r = known_request();

	if (!r || !r->read_open)
		return;
	r->read_open = 0;
	read_bytes((void *)r->read_mapping, r->read_from, result - (s64)r->read_before);
}

static __always_inline void iocb_read_entered(struct kiocb *iocb, struct iov_iter *to, s64 before)
{
	if (filtered_in())
		read_entered(BPF_CORE_READ(iocb, ki_filp, f_mapping), BPF_CORE_READ(iocb, ki_pos),
			     BPF_CORE_READ(to, count), before);
}

SEC("kprobe/filemap_read")
int BPF_KPROBE(read_kprobe, struct kiocb *iocb, struct iov_iter *to, s64 before)
{
	iocb_read_entered(iocb, to, before);
	return 0;
}

SEC("kretprobe/filemap_read")
int BPF_KRETPROBE(read_kretprobe, s64 result)
{
	read_left(result);
	return 0;
}

SEC("kprobe/generic_file_buffered_read")
int BPF_KPROBE(buffered_read_kprobe, struct kiocb *iocb, struct iov_iter *to, s64 before)
{
	iocb_read_entered(iocb, to, before);
	return 0;
}

SEC("kretprobe/generic_file_buffered_read")
int BPF_KRETPROBE(buffered_read_kretprobe, s64 result)
{
	read_left(result);
	return 0;
}

SEC("kprobe/filemap_splice_read")
int BPF_KPROBE(splice_kprobe, struct file *file, s64 *position, void *pipe, u64 length)
{
	s64 from = 0;

	if (!filtered_in())
		return 0;
	bpf_probe_read_kernel(&from, sizeof(from), position);
	read_entered(BPF_CORE_READ(file, f_mapping), from, length, 0);
	return 0;
}

SEC("kretprobe/filemap_splice_read")
int BPF_KRETPROBE(splice_kretprobe, s64 result)
{
	read_left(result);
	return 0;
}

#endif
