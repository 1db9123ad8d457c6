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
	enum transfer kind;
	u32 fd;
	s64 start;
};

/* The position that a pointer of the caller's names, else its file's; less what the call has moved it. */
static __always_inline s64 named_position(u32 fd, u64 pointer, s64 moved)
{
	s64 position = 0;

	if (pointer)
		return bpf_probe_read_user(&position, sizeof(position), (void *)pointer) ? -1 : position - moved;
	struct file *file = open_file(fd);

	return file ? BPF_CORE_READ(file, f_pos) - moved : -1;
}

/*
 * The transfer of a call; false where it is none whose beginning is known.
 * `moved`: by how much the file's position has moved on since the call began: nothing in its middle, its result
 * when it returns. A function of its own, whose frame does not stand below that of new_entry() (cachetop.bpf.c): a
 * program has 512 bytes.
 */
static __noinline bool transfer_of(struct pt_regs *regs, s64 moved, struct transfer_call *call)
{
	bool compat = is_compat();
	long number = call_number(regs);
	u64 words[6];

	call->kind = compat ? compat_transfer(number) : native_transfer(number);
	if (call->kind == NO_TRANSFER)
		return false;
	call_words(regs, compat, words);
	call->fd = words[0];
	switch (call->kind) {
	case READ_AT:
	case WRITE_AT: /* preadv2() and pwritev2() at -1: at the file's own position */
		call->start = words[3] == ~0ULL ? named_position(call->fd, 0, moved) : (s64)words[3];
		break;
	case READ_AT_HALVES:
	case WRITE_AT_HALVES: call->start = words[3] | words[4] << 32; break;
	case READ_AT_HALVES_EVEN:
	case WRITE_AT_HALVES_EVEN: call->start = words[4] | words[5] << 32; break;
	case SENDFILE:
		call->fd = words[1];
		call->start = named_position(call->fd, words[2], moved);
		break;
	case COPY_RANGE:
	case SPLICE: call->start = named_position(call->fd, words[1], moved); break;
	default: call->start = named_position(call->fd, 0, moved); break;
	}
	return call->start >= 0;
}

/*
 * Is it this mapping that a call reads through the cache? Not where the call's file lies in it (an image of EROFS), nor
 * where it was read past the cache at first. A file of overlayfs is read at the same position of the file below.
 */
static __always_inline bool reads_mapping(struct transfer_call *call, struct address_space *mapping)
{
	struct file *file = open_file(call->fd);
	struct address_space *own = file ? BPF_CORE_READ(file, f_mapping) : NULL;

	if (!own || BPF_CORE_READ(file, f_flags) & O_DIRECT)
		return false;
	return own == mapping || BPF_CORE_READ(own, host, i_sb, s_magic) == OVERLAYFS_SUPER_MAGIC;
}

/* The mapping of a call's file. */
static __always_inline struct address_space *transfer_mapping(struct transfer_call *call, u32 *flags)
{
	struct file *file = open_file(call->fd);

	if (!file)
		return NULL;
	*flags = BPF_CORE_READ(file, f_flags);
	return BPF_CORE_READ(file, f_mapping);
}

#endif
