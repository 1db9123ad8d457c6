/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Is a file shared memory, and what is its name: memfds, and files below any /dev/shm. */
#ifndef SWIFTMEM_SHMSNOOP_SHARED_FILE_H
#define SWIFTMEM_SHMSNOOP_SHARED_FILE_H

#include "vmlinux/fs.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/open_file.h"

#define SHM_DIRECTORY "/dev/shm/"
#define SHM_DIRECTORY_LENGTH 9

static __always_inline bool begins_with(const unsigned char *name, const char *word, u32 length)
{
	char start[8] = {};

	bpf_probe_read_kernel_str(start, sizeof(start), name);
	for (u32 i = 0; i < length; i++)
		if (start[i] != word[i])
			return false;
	return true;
}

/* dev/shm, or shm in the root of a file system that is mounted on dev. */
static __always_inline bool is_dev_shm(struct dentry *dentry)
{
	if (!begins_with(BPF_CORE_READ(dentry, d_name.name), "shm", 4))
		return false;
	const unsigned char *above = BPF_CORE_READ(dentry, d_parent, d_name.name);

	return begins_with(above, "dev", 4) || begins_with(above, "/", 2);
}

/* The name of a descriptor's file, if that is a memfd or lies in a /dev/shm; else NULL. */
static __always_inline const void *shared_file(u32 fd)
{
	struct file *file = open_file(fd);

	if (!file)
		return NULL;
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);

	if (begins_with(name, "memfd:", 6))
		return name;
	if (is_dev_shm(BPF_CORE_READ(dentry, d_parent)))
		return name;
	/* every container has a /dev/shm of its own: known by where it is mounted, be it on another */
	struct vfsmount *mnt = BPF_CORE_READ(file, f_path.mnt);
	struct mount *mount = (void *)mnt - bpf_core_field_offset(struct mount, mnt);

	for (int i = 0; i < 4; i++) {
		struct dentry *place = BPF_CORE_READ(mount, mnt_mountpoint);

		if (is_dev_shm(place))
			return name;
		if (!begins_with(BPF_CORE_READ(place, d_name.name), "/", 2))
			return NULL;
		mount = BPF_CORE_READ(mount, mnt_parent);
	}
	return NULL;
}

/* Is a descriptor's file /dev/zero, be it called what it may? A shared mapping of it is anonymous shared memory. */
static __always_inline bool is_dev_zero(u32 fd)
{
	struct file *file = open_file(fd);
	struct inode *inode = file ? BPF_CORE_READ(file, f_mapping, host) : NULL;

	return inode && (BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFCHR && BPF_CORE_READ(inode, i_rdev) == DEV_ZERO;
}

/* What follows /dev/shm/ in a path of the caller's; NULL for other paths. */
static __always_inline const void *shm_name(u64 path)
{
	char start[SHM_DIRECTORY_LENGTH] = {};

	if (bpf_probe_read_user(start, sizeof(start), (void *)path))
		return NULL;
	for (int i = 0; i < SHM_DIRECTORY_LENGTH; i++)
		if (start[i] != SHM_DIRECTORY[i])
			return NULL;
	return (void *)path + SHM_DIRECTORY_LENGTH;
}

#endif
