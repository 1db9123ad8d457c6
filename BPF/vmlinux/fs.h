/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Files: inodes and their mappings, names, mounts, open files. core.h says how to declare. */
#ifndef SWIFTMEM_VMLINUX_FS_H
#define SWIFTMEM_VMLINUX_FS_H

#include "vmlinux/core.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/linux/fs.h */
struct super_block {
	u32 s_dev;
	unsigned long s_flags;
	unsigned long s_magic;
};

struct inode {
	u16 i_mode;
	unsigned int i_nlink;
	u32 i_rdev;
	s64 i_size;
	u64 i_blocks;
	struct super_block *i_sb;
	struct address_space *i_mapping;
	unsigned long i_ino;
	struct hlist_head i_dentry;
};

struct address_space {
	struct inode *host;
};

/* include/linux/dcache.h */
struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct dentry *d_parent;
	struct inode *d_inode;
	struct qstr d_name;
	union {
		struct hlist_node d_alias;
	} d_u; /* compat.h has the layout since 7.2 */
};

/* include/linux/mount.h, fs/mount.h, include/linux/path.h */
struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

/* include/linux/fs.h, include/linux/fdtable.h */
struct file {
	struct path f_path;
	struct inode *f_inode;
	void *private_data;
	struct address_space *f_mapping;
	unsigned int f_flags;
	s64 f_pos;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

/* include/linux/pipe_fs_i.h */
struct pipe_buffer {
	struct page *page;
};

struct pipe_inode_info {
	unsigned int head, tail;
	unsigned int ring_size;
	struct pipe_buffer *bufs;
};

/* include/linux/fs.h, include/linux/uio.h: a read in progress */
struct kiocb {
	struct file *ki_filp;
	s64 ki_pos;
};

struct iov_iter {
	unsigned long count;
};

#pragma clang attribute pop

/* include/uapi/linux/stat.h */
#define S_IFMT 00170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFCHR 0020000
#define S_IFIFO 0010000

/* drivers/char/mem.c: major 1, minor 5, as the kernel keeps a dev_t */
#define DEV_ZERO (1 << 20 | 5)

/* include/uapi/linux/magic.h */
#define TMPFS_MAGIC 0x01021994
#define ANON_INODE_FS_MAGIC 0x09041934
#define HUGETLBFS_MAGIC 0x958458f6
#define OVERLAYFS_SUPER_MAGIC 0x794c7630
#define SQUASHFS_MAGIC 0x73717368

/* include/linux/fs.h: s_flags */
#define SB_RDONLY 1

/* include/uapi/asm-generic/fcntl.h, arch/arm64/include/uapi/asm/fcntl.h: f_flags */
#define O_APPEND 02000
#if defined(__TARGET_ARCH_arm64)
#define O_DIRECT 0200000
#else
#define O_DIRECT 040000
#endif

#endif
