/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The transfer that the current task's system call is about: its file, and where in the file it began. The registers
 * of the call tell (Linux 5.15); the file's own position moves on only when the call is over (ksys_read(),
 * do_sendfile(), do_splice()).
 */
#ifndef SWIFTMEM_PAGECACHE_TRANSFER_H
#define SWIFTMEM_PAGECACHE_TRANSFER_H

#include "vmlinux/fs.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/call_registers.h"
#include "lib/open_file.h"
#include "pagecache/transfer_numbers.h"

struct transfer_call {
	struct file *file;
	enum transfer kind;
	s64 start;
};

/* The position that a pointer of the caller's names, else the file's; less what the call has moved it. */
static __always_inline s64 named_position(struct file *file, u64 pointer, s64 moved)
{
	s64 position = 0;

	if (!pointer)
		return BPF_CORE_READ(file, f_pos) - moved;
	if (bpf_probe_read_user(&position, sizeof(position), (void *)pointer))
		return -1;
	return position - moved;
}

/*
 * The transfer of a call; false where it is none whose beginning is known.
 * `moved`: by how much the file's position has moved on since the call began: nothing in its middle, its result
 * when it returns.
 */
static __always_inline bool transfer_of(struct pt_regs *regs, s64 moved, struct transfer_call *call)
{
	bool compat = is_compat();
	long number = call_number(regs);
	enum transfer kind = compat ? compat_transfer(number) : native_transfer(number);
	u64 words[6];

	if (kind == NO_TRANSFER)
		return false;
	call_words(regs, compat, words);
	struct file *file = open_file(kind == SENDFILE ? words[1] : words[0]);

	if (!file)
		return false;
	call->file = file;
	call->kind = kind;
	switch (kind) {
	case READ_HERE:
	case WRITE_HERE: call->start = BPF_CORE_READ(file, f_pos) - moved; break;
	case READ_AT:
	case WRITE_AT:
		call->start = words[3];
		if (call->start == -1) /* preadv2() */
			call->start = BPF_CORE_READ(file, f_pos) - moved;
		break;
	case READ_AT_HALVES:
	case WRITE_AT_HALVES: call->start = words[3] | words[4] << 32; break;
	case READ_AT_HALVES_EVEN:
	case WRITE_AT_HALVES_EVEN: call->start = words[4] | words[5] << 32; break;
	case SENDFILE: call->start = named_position(file, words[2], moved); break;
	default: call->start = named_position(file, words[1], moved); break;
	}
	return call->start >= 0;
}

/*
 * Where the current call began to read a mapping, which it is still reading; -1 where that is not known: it is another
 * call's doing (io_uring), the kernel's own, or read past the cache at first.
 * A file of overlayfs is read at the same position of the file below.
 */
static __always_inline s64 read_start(struct address_space *mapping, enum transfer *kind)
{
	struct pt_regs *regs = current_registers();
	struct transfer_call call = {};

	if (!regs || !transfer_of(regs, 0, &call) || call.kind > LAST_READ)
		return -1;
	struct file *file = call.file;
	struct address_space *own = BPF_CORE_READ(file, f_mapping);

	if (own != mapping && BPF_CORE_READ(own, host, i_sb, s_magic) != OVERLAYFS_SUPER_MAGIC)
		return -1;
	if (BPF_CORE_READ(file, f_flags) & O_DIRECT)
		return -1;
	*kind = call.kind;
	return call.start;
}

#endif
