/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What memory a process has: a record a process, of BPF/lib/write_process.h. Pages are the kernel's, of page_bytes. */
#ifndef SWIFTMEM_PROCESS_MEMORY_H
#define SWIFTMEM_PROCESS_MEMORY_H

#include <linux/types.h>

struct process_memory {
	__u32 pid;
	__s32 oom_score_adj;
	__u64 start_ns; /* CLOCK_BOOTTIME: tells it from an earlier one of its number */
	__u64 anon_pages;
	__u64 file_pages;
	__u64 shmem_pages;
	__u64 swap_pages;
	__u64 pgtables_bytes;
	__u64 cgroup_id; /* kernfs id of its memory cgroup; 0: none */
	__u32 page_bytes;
	__u32 uid; /* the effective one */
	__u32 threads;
	char comm[16];
	__u32 padding;
};

_Static_assert(sizeof(struct process_memory) == 96, "process_memory is shared with Swift");

#endif
