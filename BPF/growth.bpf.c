/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * growth: which stacks make a process's resident memory grow.
 *
 * What counts is the kernel's own counters of resident pages, not faults: a fault may map one page or many,
 * replace a page by a copy, or map none. In the task that faults:
 *   exc_page_fault() (arch/x86/mm/fault.c), do_page_fault() (arch/arm64/mm/fault.c)
 *     trace_page_fault_user(), _kernel()   exceptions:page_fault_*  -> where and when (faults.h): x86's alone
 *     handle_mm_fault() (mm/memory.c)      its entry                -> the same
 *       add_mm_counter()
 *         trace_rss_stat()                 kmem:rss_stat            -> how many pages (follow.h),
 *                                                                      for which stack (sites.h)
 *       mm_account_fault()                 task->maj_flt, min_flt   -> read at the thread's next event
 * mremap() moves pages without a change of the counters: mmap:vm_unmapped_area tells where to.
 * Other changes of the counters come from system calls (mmap with MAP_POPULATE, munmap), from reclaim, from fork,
 * exec and the end (processes.h). They are told apart by the task that makes them.
 */
#include "growth/faults.h"
#include "growth/processes.h"
#include "lib/unpreempted.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("raw_tp/page_fault_user")
int UNPREEMPTED(fault_user_rawtp)
{
	return fault_began(ctx[0]);
}

/* The kernel touches user memory for a system call. */
SEC("raw_tp/page_fault_kernel")
int UNPREEMPTED(fault_kernel_rawtp)
{
	return fault_began(ctx[0]);
}

/*
 * Noting a fault once more changes nothing. So these are seconds without marks (lib/twice.h): of a fault that no program
 * has noted, nothing tells which pages it made resident.
 */
SEC("raw_tp/page_fault_user")
int UNPREEMPTED(fault_user_second_rawtp)
{
	return fault_began(ctx[0]);
}

SEC("raw_tp/page_fault_kernel")
int UNPREEMPTED(fault_kernel_second_rawtp)
{
	return fault_began(ctx[0]);
}

/* Without registers a system call has pages made resident, which is no fault of the task's. */
SEC("fentry/handle_mm_fault")
int UNPREEMPTED(fault_handle_fentry, void *vma, unsigned long address, u32 flags, struct pt_regs *regs)
{
	return regs ? fault_handled(address) : 0;
}

SEC("fentry/handle_mm_fault")
int UNPREEMPTED(fault_handle_second_fentry, void *vma, unsigned long address, u32 flags, struct pt_regs *regs)
{
	return regs ? fault_handled(address) : 0;
}

SEC("kprobe/handle_mm_fault")
int BPF_KPROBE(fault_handle_kprobe, void *vma, unsigned long address, u32 flags, struct pt_regs *regs)
{
	return regs ? fault_handled(address) : 0;
}

/* Not UNPREEMPTED: it calls global functions, and the counters change under a page table's lock. */
SEC("raw_tp/rss_stat")
int rss_rawtp(struct bpf_raw_tracepoint_args *ctx)
{
	return counter_changed((void *)ctx->args[0], ctx->args[1]);
}

/* Address spaces that are there at the start. */
SEC("iter/task")
int space_start_iter(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (!task || task->pid != task->tgid || !task->mm || !is_listed(task->tgid))
		return 0;
	return space_begin(task->mm, task->tgid, false, task->comm);
}

/* How many pages are resident now, and which faults have waited. */
SEC("iter/task")
int space_sum_iter(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (!task || !task->mm)
		return 0;
	struct growth_space *space = space_of(task->mm);
	u64 pages[MM_COUNTERS] = {};

	if (!space)
		return 0;
	struct thread *thread = bpf_task_storage_get(&threads, task, NULL, 0);

	if (thread)
		count_majors(thread, task);
	if (task->pid != task->tgid)
		return 0;
	mm_rss_given(task->mm, pages);
	for (int kind = 0; kind < MM_COUNTERS; kind++)
		space->now[kind] = pages[kind];
	return 0;
}
