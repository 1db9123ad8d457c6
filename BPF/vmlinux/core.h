/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The kernel's types that the programs read, cut down to the fields they read.
 * preserve_access_index makes libbpf find each field by its name in the running
 * kernel's BTF, so neither the layout nor a full vmlinux.h is needed.
 *
 * A type is declared once, in the file of its subsystem: core (tasks, registers, the
 * base types), mm, fs, cgroup. What only some kernels have is a flavour in compat.h: libbpf
 * matches `struct x___suffix` with the kernel's `struct x`.
 */
#ifndef SWIFTMEM_VMLINUX_CORE_H
#define SWIFTMEM_VMLINUX_CORE_H

#include <linux/bpf.h>
#include <linux/types.h>

/* Makes libbpf's tracing macros use the kernel's names of the registers. */
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

/* include/uapi/asm-generic/errno-base.h */
#define ENOENT 2
#define E2BIG 7
#define EFAULT 14
#define EEXIST 17
/* include/linux/err.h */
#define MAX_ERRNO 4095

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/linux/types.h */
typedef struct {
	int counter;
} atomic_t;

typedef struct {
	long counter;
} atomic_long_t;

struct list_head {
	struct list_head *next;
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

/* arch/x86/include/asm/ptrace.h, arch/arm64/include/asm/ptrace.h */
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
	s32 syscallno;
};
#else
#error unsupported architecture
#endif

/* arch/x86/include/asm/thread_info.h, arch/arm64/include/asm/thread_info.h */
struct thread_info {
	unsigned long flags;
	u32 status; /* x86 */
};

/* include/linux/uidgid_types.h, include/linux/cred.h */
typedef struct {
	u32 val;
} kuid_t;

struct cred {
	kuid_t uid, euid;
};

/* include/linux/sched/signal.h */
struct signal_struct {
	atomic_t live;
	int nr_threads;
	short oom_score_adj;
};

/* include/linux/signal_types.h */
struct kernel_siginfo {
	int si_code;
};

/* include/linux/task_io_accounting.h; its fields depend on CONFIG_TASK_XACCT */
struct task_io_accounting {
	u64 syscr;
};

/* include/linux/ns_common.h, include/linux/nsproxy.h, fs/mount.h, include/linux/ipc_namespace.h */
struct ns_common {
	unsigned int inum;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct ipc_namespace {
	struct ns_common ns;
};

struct nsproxy {
	struct ipc_namespace *ipc_ns;
	struct mnt_namespace *mnt_ns;
};

/*
 * include/linux/uprobes.h: calls whose returns are caught, innermost first. `func` is the probed
 * instruction, `stack` the stack pointer there; `orig_ret_vaddr` is never the trampoline.
 */
struct return_instance {
	unsigned long func, stack, orig_ret_vaddr;
	struct return_instance *next;
};

struct uprobe_task {
	struct return_instance *return_instances;
};

/* include/linux/sched.h */
struct task_struct {
	struct thread_info thread_info;
	void *stack;
	unsigned int flags;
	int pid;
	int tgid;
	char comm[16];
	u64 start_boottime;
	unsigned in_iowait : 1;
	unsigned in_memstall : 1; /* with CONFIG_PSI */
	unsigned long min_flt, maj_flt;
	struct mm_struct *mm;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct uprobe_task *utask;
	struct signal_struct *signal;
	struct css_set *cgroups;
	struct task_struct *group_leader;
	struct cred *real_cred;
	struct task_io_accounting ioac;
};

/* include/linux/sched.h: a task's flags */
#define PF_EXITING 0x00000004
#define PF_MEMALLOC 0x00000800
#define PF_KTHREAD 0x00200000

/* kernel/bpf/task_iter.c: what an iterator over tasks is called with */
struct bpf_iter_meta {
	struct seq_file *seq;
	u64 seq_num; /* of the object, from 0 */
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};

struct bpf_iter__task_vma {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	struct vm_area_struct *vma;
};

struct bpf_iter__bpf_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
};

/* include/linux/bpf.h: a map of the array kind */
struct bpf_array {
	void *pptrs[0];
};

/* include/linux/bpf.h */
struct bpf_map {
	enum bpf_map_type map_type;
};

/* kernel/bpf/ringbuf.c */
struct bpf_ringbuf {
	int nr_pages;
};

struct bpf_ringbuf_map {
	struct bpf_ringbuf *rb;
};

/* include/linux/perf_event.h, kernel/events/internal.h */
struct perf_buffer {
	int nr_pages;
	int aux_nr_pages;
};

struct perf_event {
	struct perf_buffer *rb;
};

#pragma clang attribute pop

#endif
