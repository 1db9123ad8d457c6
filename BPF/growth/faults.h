/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Faults: where each began, and how many pages it made resident. Other changes: who gave pages back, who took them. */
#ifndef SWIFTMEM_GROWTH_FAULTS_H
#define SWIFTMEM_GROWTH_FAULTS_H

#include "growth/follow.h"
#include "growth/sites.h"
#include "growth/state.h"

/*
 * Counts the major faults of a task since it was last looked at. The kernel counts a fault when it is over
 * (mm_account_fault()), so they belong to the site that was counted last. The exchange is atomic, for the
 * iterator may be here at the same time.
 */
static __always_inline void count_majors(struct thread *thread, struct task_struct *task)
{
	u64 majors = BPF_CORE_READ(task, maj_flt);
	s64 more = majors - __sync_lock_test_and_set(&thread->majors, majors);

	if (more <= 0 || !thread->counted)
		return;
	struct growth_site *site = bpf_map_lookup_elem(&sites, &thread->site);

	if (!site)
		return;
	__atomic_fetch_add(&site->majors, more, __ATOMIC_RELAXED);
	if (thread->start_ns && thread->end_ns > thread->start_ns)
		__atomic_fetch_add(&site->wait_ns, thread->end_ns - thread->start_ns, __ATOMIC_RELAXED);
}

static __always_inline struct thread *thread_of(struct task_struct *task)
{
	struct thread *thread = thread_of_current(true);

	if (!thread) {
		lost(LOSS_TASK_STATE);
		return NULL;
	}
	/* its first look */
	if (!thread->faults)
		thread->majors = BPF_CORE_READ(task, maj_flt);
	return thread;
}

static __always_inline u64 faults_of(struct task_struct *task)
{
	/* never 0, which is a fresh state */
	return BPF_CORE_READ(task, min_flt) + BPF_CORE_READ(task, maj_flt) + 1;
}

/* The state of the current thread, where it is traced. */
static __always_inline struct thread *traced_thread(struct task_struct *task)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	return mm && space_of(mm) ? thread_of(task) : NULL;
}

static __always_inline void note_fault(struct thread *thread, struct task_struct *task, u64 address)
{
	struct pt_regs *regs = (void *)bpf_task_pt_regs(task);

	count_majors(thread, task);
	thread->address = address;
	thread->start_ns = bpf_ktime_get_ns();
	thread->end_ns = 0;
	thread->faults = faults_of(task);
	thread->ip = PT_REGS_IP(regs);
	thread->sp = PT_REGS_SP(regs);
	thread->counted = 0;
}

/* An exception: once a fault. */
static __always_inline int fault_began(u64 address)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread *thread = traced_thread(task);

	if (thread)
		note_fault(thread, task, address);
	return 0;
}

/* Is the thread in the fault that was noted? One that ended in a signal was not counted by the kernel. */
static __always_inline bool is_in_fault(struct thread *thread, struct task_struct *task, struct pt_regs *regs)
{
	return thread->start_ns && thread->faults == faults_of(task) && thread->ip == PT_REGS_IP(regs) &&
	       thread->sp == PT_REGS_SP(regs);
}

/* handle_mm_fault() is called anew where it gave up a lock to wait: the fault is the same, and began before. */
static __always_inline int fault_handled(u64 address)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread *thread = traced_thread(task);
	struct pt_regs *regs = (void *)bpf_task_pt_regs(task);

	if (thread && !(thread->address == address && is_in_fault(thread, task, regs)))
		note_fault(thread, task, address);
	return 0;
}

/* Counts pages for the thread's user stack. */
static __always_inline void count_change(struct growth_space *space, struct thread *thread, struct task_struct *task,
					 struct pt_regs *regs, u32 kind, s64 change, bool in_fault)
{
	if (!in_fault || !thread->counted) {
		if (!in_fault) {
			count_majors(thread, task);
			thread->start_ns = 0;
			thread->faults = faults_of(task);
		}
		thread->site.stack = space->narrow ? 0 : capture(thread, regs);
		thread->site.pid = space->pid;
		thread->site.serial = space->serial;
	}
	struct growth_site *site = site_of(&thread->site);

	if (!site) {
		lost(LOSS_MAP_FULL);
		add(&space->elsewhere, change);
		return;
	}
	if (!in_fault || !thread->counted)
		__atomic_fetch_add(&site->faults, 1, __ATOMIC_RELAXED);
	thread->counted = 1;
	thread->end_ns = bpf_ktime_get_ns();
	add(&space->faulted, change);
	add(&site->pages[kind & 3], change);
	if (change <= 0)
		return;
	if (change >= (s64)HUGE_PAGES)
		__atomic_fetch_add(&site->huge, change, __ATOMIC_RELAXED);
	u64 owner = space->pid | (u64)space->serial << 32;
	u64 noted = in_fault && !space->narrow ? note_pages(owner, thread->address, change, kind, site->id) : 0;

	if (noted < (u64)change)
		__atomic_fetch_add(&site->unplaced, change - noted, __ATOMIC_RELAXED);
}

static __always_inline int counter_changed(struct mm_struct *mm, u32 kind)
{
	struct growth_space *space = space_of(mm);

	if (!space || kind >= GROWTH_KINDS)
		return 0;
	s64 change = followed_change(space, mm, kind);

	if (!change)
		return 0;
	add(&space->net[kind & 3], change);
	if (kind == GROWTH_SWAP)
		return 0;
	struct task_struct *task = bpf_get_current_task_btf();
	u32 flags = BPF_CORE_READ(task, flags);
	bool own = BPF_CORE_READ(task, mm) == mm && !(flags & (PF_KTHREAD | PF_EXITING));

	if (change < 0 && (flags & PF_MEMALLOC)) {
		/* this task reclaims memory, its own or another's */
		add(&space->reclaimed, -change);
		return 0;
	}
	if (own) {
		struct thread *thread = thread_of(task);
		struct pt_regs *regs = (void *)bpf_task_pt_regs(task);

		if (thread) {
			bool in_fault = is_in_fault(thread, task, regs);

			if (in_fault || change > 0) {
				count_change(space, thread, task, regs, kind, change, in_fault);
				return 0;
			}
		}
	}
	if (change > 0)
		add(&space->elsewhere, change);
	else if (own)
		add(&space->returned, -change);
	else if (space->gone || (flags & PF_EXITING))
		add(&space->ended, -change);
	else
		add(&space->taken, -change);
	return 0;
}

#endif
