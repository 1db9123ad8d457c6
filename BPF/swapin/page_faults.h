/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The page fault that a task is in, by tracepoint: exc_page_fault() (arch/x86/mm/fault.c) has
 * page_fault_user and page_fault_kernel at its begin, and mm_account_fault() (mm/memory.c) counts
 * a fault in the task when it is done.
 */
#ifndef SWIFTMEM_SWAPIN_PAGE_FAULTS_H
#define SWIFTMEM_SWAPIN_PAGE_FAULTS_H

#include "vmlinux/core.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/loss.h"
#include "lib/unpreempted.h"

struct page_fault {
	u64 begin_ns;
	u64 faults; /* that the task had finished before it */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct page_fault);
} page_faults SEC(".maps");

static __always_inline u64 finished_faults(struct task_struct *task)
{
	return BPF_CORE_READ(task, min_flt) + BPF_CORE_READ(task, maj_flt);
}

static __always_inline int page_fault_begins(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct page_fault *f = bpf_task_storage_get(&page_faults, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!f) {
		lost(LOSS_TASK_STATE);
		return 0;
	}
	f->faults = finished_faults(task);
	f->begin_ns = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/page_fault_user")
int UNPREEMPTED(user_fault_btf)
{
	return page_fault_begins();
}

SEC("tp_btf/page_fault_kernel")
int UNPREEMPTED(kernel_fault_btf)
{
	return page_fault_begins();
}

/* The begin of the page fault that the current task is in, once a fault; 0: it is in none. */
static __always_inline u64 page_fault_served(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct page_fault *f = bpf_task_storage_get(&page_faults, task, NULL, 0);

	/* a fault that was finished is counted in the task: what comes now is no part of it */
	if (!f || f->faults != finished_faults(task))
		return 0;
	u64 begin = f->begin_ns;

	f->begin_ns = 0;
	return begin;
}

#endif
