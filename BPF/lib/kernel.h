/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The kernel types these programs read, cut down to the fields they read.
 * preserve_access_index makes libbpf find each field by name in the running
 * kernel's BTF, so neither layout nor a full vmlinux.h is needed here.
 * A flavour (`struct x___suffix`) matches the kernel's `struct x`: it spells a
 * layout that some kernels have and others do not.
 */
#ifndef SWIFTMEM_KERNEL_H
#define SWIFTMEM_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>

/* Tells libbpf's tracing macros to use the kernel's register names. */
#define __VMLINUX_H__

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

#define PAGE_SHIFT 12

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8;
	unsigned long ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
	__u64 pstate;
};
struct pt_regs {
	struct user_pt_regs user_regs;
	__u64 orig_x0;
};
#else
#error unsupported architecture
#endif

typedef struct {
	long counter;
} atomic_long_t;

typedef struct {
	int counter;
} atomic_t;

/* lib/percpu_counter.c: the value is count plus every CPU's counter. */
struct percpu_counter {
	s64 count;
	s32 *counters;
};

/* until 6.2, f1a7941243c1 ("mm: convert mm's rss stats into percpu_counter") */
struct mm_rss_stat {
	atomic_long_t count[4];
};

/* where returns of probed functions are caught: the first slot of the area */
struct xol_area {
	unsigned long vaddr;
};

struct uprobes_state {
	struct xol_area *xol_area;
};

struct mm_struct {
	unsigned long total_vm;
	unsigned long arg_start, arg_end;
	atomic_long_t pgtables_bytes;
	struct percpu_counter rss_stat[4];
	struct uprobes_state uprobes_state;
};

struct mm_struct___atomic_rss {
	struct mm_rss_stat rss_stat;
};

struct task_io_accounting {
	u64 rchar;
	u64 syscr;
};

struct signal_struct {
	atomic_t live;
	short oom_score_adj;
};

typedef struct {
	u32 val;
} kuid_t;

struct cred {
	kuid_t uid;
};

struct kernfs_node {
	const char *name;
	struct kernfs_node *parent;
	u64 id;
};

/* since 6.15, 741c10b096bc ("kernfs: Use RCU to access kernfs_node::name/parent") */
struct kernfs_node___rcu {
	struct kernfs_node *__parent;
};

struct cgroup_root {
	int hierarchy_id;
};

struct cgroup {
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct css_set {
	struct cgroup_subsys_state *subsys[16];
};

struct page_counter {
	atomic_long_t usage;
	unsigned long max;
};

struct mem_cgroup {
	struct cgroup_subsys_state css;
	struct page_counter memory;
};

struct task_struct {
	void *stack;
	int pid;
	int tgid;
	char comm[16];
	struct mm_struct *mm;
	struct signal_struct *signal;
	struct css_set *cgroups;
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct cred *cred;
	struct cred *real_cred;
	struct task_io_accounting ioac;
};

enum oom_constraint {
	CONSTRAINT_NONE,
};

struct bpf_iter__task {
	struct task_struct *task;
};

/* the same on 5.10 to 7.2 */
struct oom_control {
	void *zonelist;
	void *nodemask;
	struct mem_cgroup *memcg;
	unsigned int gfp_mask;
	int order;
	unsigned long totalpages;
	struct task_struct *chosen;
	long chosen_points;
	enum oom_constraint constraint;
};

struct super_block {
	u32 s_dev;
	unsigned long s_magic;
};

struct address_space;

struct inode {
	u16 i_mode;
	s64 i_size;
	struct super_block *i_sb;
	struct address_space *i_mapping;
	unsigned long i_ino;
};

struct address_space {
	struct inode *host;
};

struct folio {
	unsigned long flags;
	struct address_space *mapping;
	unsigned long index;
};

#pragma clang attribute pop

enum cgroup_subsys_id {
	memory_cgrp_id,
};

/* include/linux/mm_types_task.h */
enum {
	MM_FILEPAGES,
	MM_ANONPAGES,
	MM_SWAPENTS,
	MM_SHMEMPAGES,
	MM_COUNTERS,
};

/* include/uapi/linux/stat.h */
#define S_IFMT 00170000
#define S_IFREG 0100000

#endif
