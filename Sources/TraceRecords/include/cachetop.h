/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What BPF/cachetop.bpf.c counts, by process and file. */
#ifndef SWIFTMEM_CACHETOP_H
#define SWIFTMEM_CACHETOP_H

#include <linux/types.h>
#include "pagecache_counters.h"

/* One process' use of one file. */
struct cachetop_key {
	__u64 inode;
	__u32 device; /* as the kernel has it: 12 bits major, 20 bits minor */
	__u32 pid;
};

/* A device that no file has: which file it was is not known. */
#define CACHETOP_NO_FILE 0xffffffffu

enum cachetop_flag {
	CACHETOP_DELETED = 1,
	CACHETOP_BLOCK_DEVICE = 2,
	CACHETOP_EXECUTED = 4, /* its process took its name by exec in the interval */
};

struct cachetop_entry {
	struct pagecache_counters counts;
	__u64 cgroup; /* kernfs id, of the task seen first */
	__u32 uid;
	__u32 flags; /* cachetop_flag */
	char comm[16]; /* of the process */
};

#define CACHETOP_PATH 1024

struct cachetop_file {
	__u64 inode;
	__u32 device;
	__u32 padding;
};

/* A file's names up to the root of its file system, leaf first, each with its NUL. */
struct cachetop_path {
	__u32 length;
	__u32 cut; /* there were more */
	char names[CACHETOP_PATH];
};

/* Read-only data. */
struct cachetop_config {
	__u32 cgroup1; /* cgroups are those of the v1 memory hierarchy */
	__u32 paths; /* file names are wanted */
};

_Static_assert(sizeof(struct cachetop_key) == 16, "cachetop_key is shared with Swift");
_Static_assert(sizeof(struct cachetop_entry) == 88, "cachetop_entry is shared with Swift");
_Static_assert(sizeof(struct cachetop_path) == 1032, "cachetop_path is shared with Swift");

#endif
