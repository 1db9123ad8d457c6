/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A file's path, from its inode. */
#ifndef SWIFTMEM_DENTRY_H
#define SWIFTMEM_DENTRY_H

#include "vmlinux/compat.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define DENTRY_DEPTH 24
#define DENTRY_NAME 256 /* NAME_MAX with its NUL */

/*
 * The names on the way from one of the inode's dentries to the root of its file
 * system, leaf first, each with its NUL. Returns the bytes used: 0 where the
 * inode has no name. `cut` says that the path is longer.
 */
static __always_inline u32 inode_path(struct inode *inode, char *path, u32 size, u32 *cut)
{
	struct hlist_node *alias = BPF_CORE_READ(inode, i_dentry.first);
	u32 used = 0;

	*cut = 0;
	if (!alias)
		return 0;
	struct dentry *dentry;

	if (bpf_core_field_exists(struct dentry___unnamed, d_alias))
		dentry = (void *)alias - bpf_core_field_offset(struct dentry___unnamed, d_alias);
	else
		dentry = (void *)alias - bpf_core_field_offset(struct dentry, d_u.d_alias);

	for (int i = 0; i < DENTRY_DEPTH; i++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);

		if (!parent || parent == dentry)
			return used;
		if (used > size - DENTRY_NAME)
			break;
		long n = bpf_probe_read_kernel_str(path + used, DENTRY_NAME, BPF_CORE_READ(dentry, d_name.name));
		if (n <= 0 || n > DENTRY_NAME)
			break;
		used += n;
		dentry = parent;
	}
	*cut = 1;
	return used;
}

#endif
