/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A task's stalls, one within another: time belongs to the innermost alone, so that causes
 * are disjoint and their sum is the time that the task stalled.
 */
#ifndef SWIFTMEM_MEMSTALL_PIECES_H
#define SWIFTMEM_MEMSTALL_PIECES_H

#include "vmlinux/core.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/filter.h"
#include "memstall/cpu.h"
#include "memstall/stacks.h"
#include "memstall/state.h"
#include "memstall/sums.h"

/* What a stall begins with. */
struct beginning {
	u64 limit_cgroup;
	u32 cause;
	u32 kind;
	u32 gfp;
	s32 order;
	bool psi; /* PSI counts it */
	bool open; /* the cause is to be found out by its end */
};

static __always_inline struct memstall_task *current_stall(void)
{
	u32 tid = bpf_get_current_pid_tgid();

	return bpf_map_lookup_elem(&tasks, &tid);
}

/* The current task's state, made where it has none. */
static __noinline struct memstall_task *make_stall(void)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct memstall_task *t = bpf_map_lookup_elem(&tasks, &tid);
	struct task_struct *task = (void *)bpf_get_current_task();
	union memstall_blank *zeros = blank();

	if (t || !zeros || !tid) /* the idle task stalls never */
		return t;
	bpf_map_update_elem(&tasks, &tid, &zeros->task, BPF_NOEXIST);
	t = bpf_map_lookup_elem(&tasks, &tid);
	if (!t) {
		lost(LOSS_TASK_STATE);
		return NULL;
	}
	t->cgroup = cgroup_of(memcg_of(task));
	t->start_ns = BPF_CORE_READ(task, start_boottime);
	t->pid = bpf_get_current_pid_tgid() >> 32;
	t->tid = tid;
	t->wanted = filtered_in();
	bpf_get_current_comm(t->comm, sizeof(t->comm));
	return t;
}

static __always_inline struct memstall_piece *innermost(struct memstall_task *t)
{
	u32 depth = t->depth;

	if (depth == 0 || depth > MEMSTALL_DEPTH)
		return NULL;
	return &t->pieces[(depth - 1) & (MEMSTALL_DEPTH - 1)];
}

/* The innermost piece goes, and with the last one that PSI counts the CPU's share of it. */
static __always_inline void pop_piece(struct memstall_task *t, u64 now)
{
	if (!t->depth)
		return;
	t->depth -= 1;
	struct memstall_piece *outer = innermost(t);

	if (t->in_psi && !(outer && outer->psi)) {
		t->in_psi = 0;
		cpu_goes_on(t, now);
	}
}

static __always_inline void forget_if_over(struct memstall_task *t)
{
	u32 tid = t->tid;

	if (!t->depth)
		bpf_map_delete_elem(&tasks, &tid);
}

static __always_inline void close_piece(struct memstall_task *t, u64 now)
{
	struct memstall_piece *p = innermost(t);

	if (p) {
		p->own_ns += now - t->since_ns;
		t->since_ns = now;
		pop_piece(t, now);
		add_up(t, p, now);
	}
	forget_if_over(t);
}

/*
 * The end of all that a task was in was not seen: the kernel skips a program that another task, preempted, is in on the
 * same CPU. When it was is not known, so nothing is added up.
 */
static __noinline int drop_stall(struct memstall_task *t)
{
	u32 tid = t ? t->tid : 0;

	if (!t)
		return 0;
	if (t->in_psi)
		cpu_goes_on(t, bpf_ktime_get_ns());
	bpf_map_delete_elem(&tasks, &tid);
	return 0;
}

/* Direct reclaim and a cgroup's reclaim never lie one within the other: reclaim sets PF_MEMALLOC. */
static __always_inline bool is_reclaim(u32 kind)
{
	return kind == MEMSTALL_BY_DIRECT || kind == MEMSTALL_BY_MEMCG;
}

static __always_inline bool in_memstall(struct task_struct *task)
{
	return bpf_core_field_exists(task->in_memstall) && BPF_CORE_READ_BITFIELD_PROBED(task, in_memstall);
}

/* Does PSI count the current task as waiting for memory? */
static __always_inline bool current_in_memstall(void)
{
	return in_memstall((void *)bpf_get_current_task());
}

static __always_inline struct memstall_task *begin_stall(void *ctx, const struct beginning *b)
{
	struct memstall_task *t = current_stall();
	u64 now = bpf_ktime_get_ns();

	if (t && t->in_psi && !current_in_memstall() && !config.no_psi) {
		drop_stall(t);
		t = NULL;
	}
	if (!t)
		t = make_stall();
	if (!t)
		return NULL;
	struct memstall_piece *p = innermost(t);

	if (p && p->kind == MEMSTALL_BY_DIRTY) { /* it has not slept, and never will */
		t->depth = 0;
		p = NULL;
	}
	if (p && p->kind == MEMSTALL_BY_KSWAPD && b->kind == MEMSTALL_BY_KSWAPD)
		return t; /* another round, without a sleep before it */
	if (p && (p->kind == b->kind || (is_reclaim(p->kind) && is_reclaim(b->kind)))) {
		pop_piece(t, now); /* its end was not seen */
		p = innermost(t);
	}
	if (p && p->open) { /* now it is known what this one is for */
		p->open = 0;
		p->cause = b->cause;
		p->limit_cgroup = b->limit_cgroup;
		p->gfp = b->gfp;
		p->order = b->order;
		return t;
	}
	if (p && p->kind == MEMSTALL_BY_PSI && p->cause == b->cause)
		return t;
	if (t->depth >= MEMSTALL_DEPTH) {
		lost(LOSS_TASK_STATE);
		return NULL;
	}
	bool psi = (b->psi && !config.no_psi) || t->in_psi;

	if (p)
		p->own_ns += now - t->since_ns;
	t->since_ns = now;
	t->depth += 1;
	p = innermost(t);
	if (!p)
		return NULL;
	__builtin_memset(p, 0, sizeof(*p));
	p->begin_ns = now;
	p->limit_cgroup = b->limit_cgroup;
	p->cause = b->cause;
	p->kind = b->kind;
	p->gfp = b->gfp;
	p->order = b->order;
	p->psi = psi;
	p->open = b->open;
	if (psi && !t->in_psi) {
		t->in_psi = 1;
		cpu_stalls(t, now);
	}
	if (t->wanted)
		keep_stacks(ctx, p);
	/* PSI's own section begins behind this */
	if (b->kind == MEMSTALL_BY_PSI)
		t->since_ns = p->begin_ns = bpf_ktime_get_ns();
	return t;
}

/* The end of what this kind of hook has begun. */
static __always_inline void end_stall(u32 kind, u64 reclaimed)
{
	struct memstall_task *t = current_stall();
	struct memstall_piece *p = t ? innermost(t) : NULL;

	if (!p)
		return;
	if (p->kind != kind) {
		/* a part of the section that PSI's hooks have begun */
		if (p->kind == MEMSTALL_BY_PSI)
			p->reclaimed_pages += reclaimed;
		return;
	}
	p->reclaimed_pages += reclaimed;
	close_piece(t, bpf_ktime_get_ns());
}

#endif
