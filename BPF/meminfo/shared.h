/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Files of a tmpfs that processes have open or mapped: memfds, MAP_SHARED of no file, deleted ones, those with names. */
#ifndef SWIFTMEM_MEMINFO_SHARED_H
#define SWIFTMEM_MEMINFO_SHARED_H

#include "meminfo/holding.h"

/* Called for each open file and mapping of the machine, so it uses loads, which cost less than a helper's call. */
static __always_inline bool is_shared(struct inode *inode)
{
	return inode->i_sb->s_magic == TMPFS_MAGIC && (inode->i_mode & S_IFMT) == S_IFREG;
}

/* Writes a tmpfs file; the caller has filled in how the process has it. */
static __always_inline void write_shared(struct seq_file *seq, struct meminfo_holding *h, struct file *file,
					 struct inode *inode)
{
	h->kind = MEMINFO_SHARED;
	h->address = (u64)inode;
	h->inode = BPF_CORE_READ(inode, i_ino);
	h->device = BPF_CORE_READ(inode, i_sb, s_dev);
	h->links = BPF_CORE_READ(inode, i_nlink);
	/* blocks of 512 bytes, on every file system */
	h->bytes = BPF_CORE_READ(inode, i_blocks) << 9;
	bpf_probe_read_kernel_str(h->name, sizeof(h->name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
	bpf_seq_write(seq, h, sizeof(*h));
}

#endif
