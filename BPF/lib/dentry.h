/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The names of a file that only its inode is known of. */
#ifndef SWIFTMEM_DENTRY_H
#define SWIFTMEM_DENTRY_H

#include "kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	union {
		struct hlist_node d_alias;
	} d_u;
};

/* 7.2: the union lost its name */
struct dentry___unnamed {
	struct hlist_node d_alias;
};

struct inode___names {
	unsigned int i_nlink;
	struct hlist_head i_dentry;
};

#pragma clang attribute pop

#define DENTRY_DEPTH 24
#define DENTRY_NAME 256 /* NAME_MAX with its NUL */

/*
 * The names on the way from one of the inode's dentries to the root of its file
 * system, leaf first, each with its NUL. Returns the bytes used: 0 where the
 * inode has no name. `cut` says that the path is longer.
 */
static __always_inline u32 inode_path(struct inode *inode, char *path, u32 size, u32 *cut)
{
	struct inode___names *names = (void *)inode;
	struct hlist_node *alias = BPF_CORE_READ(names, i_dentry.first);
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
