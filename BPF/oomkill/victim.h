/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The record of a killed process: who it is, what it holds, what ran out of memory. */
#ifndef SWIFTMEM_OOMKILL_VICTIM_H
#define SWIFTMEM_OOMKILL_VICTIM_H

#include "vmlinux/cgroup.h"
#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/cgroup.h"
#include "lib/cmdline.h"
#include "lib/loss.h"
#include "lib/page.h"
#include "lib/rss.h"
#include "oomkill/oom_context.h"
#include "oomkill/state.h"

/* The OOM that the victim is of; known by its oom_control where that can be had. */
static __always_inline void identify_oom(struct oom *oom, struct task_struct *victim, u32 known)
{
	if (config.scan_stack && !(known & OOM_SHARED_MM) && !same_oom(oom)) {
		oom->kill_id = new_kill_id();
		oom->oc_address = NULL;
		find_on_stack(victim, oom);
	}
}

/* Was the victim sent SIGKILL, as far as signals are seen? */
static __always_inline u32 signalled(struct oom *oom, u32 pid, u32 known)
{
	if (!config.see_signals)
		return known;
	known |= OOM_HAS_SIGNALS;
	if (oom->signalled_pid == pid)
		known |= OOM_SIGNALLED;
	oom->signalled_pid = 0;
	return known;
}

/* memory.oom.group enters mark_oom_victim() for the chosen one again; the tracepoint does not fire twice. */
static __always_inline bool is_reported(const struct oom *oom, u32 pid)
{
	struct dying *known = bpf_map_lookup_elem(&victims, &pid);

	return known && known->kill_id == oom->kill_id;
}

static __always_inline void fill_tasks(struct oomkill_event *e, struct task_struct *victim, u32 pid)
{
	u64 id = bpf_get_current_pid_tgid();

	e->trigger_pid = id >> 32;
	e->trigger_tid = id;
	bpf_get_current_comm(e->trigger_comm, sizeof(e->trigger_comm));
	e->victim_pid = pid;
	e->victim_tid = BPF_CORE_READ(victim, pid);
	e->victim_uid = BPF_CORE_READ(victim, real_cred, uid.val);
	e->oom_score_adj = BPF_CORE_READ(victim, signal, oom_score_adj);
	/* the process's name is its leader's; a thread may bear another */
	BPF_CORE_READ_STR_INTO(&e->victim_comm, victim, group_leader, comm);
	e->cmdline_len = copy_cmdline(pid, e->cmdline);
}

/* What the victim holds; `pages` are zero where its address space is gone already. */
static __always_inline u32 fill_memory(struct oomkill_event *e, struct mm_struct *mm, u64 pages[MM_COUNTERS], u32 known)
{
	if (mm) {
		known |= OOM_HAS_MM;
		mm_rss(mm, pages);
	}
	e->file_pages = pages[MM_FILEPAGES];
	e->anon_pages = pages[MM_ANONPAGES];
	e->swap_pages = pages[MM_SWAPENTS];
	e->shmem_pages = pages[MM_SHMEMPAGES];
	e->total_vm_pages = mm ? BPF_CORE_READ(mm, total_vm) : 0;
	e->pgtables_bytes = mm ? BPF_CORE_READ(mm, pgtables_bytes.counter) : 0;
	return known;
}

/*
 * What ran out of memory. A dying task that asks for memory is marked without a kill and
 * without oom_kill_process(): what is known of this task's last OOM is not of this one.
 */
static __always_inline u32 fill_domain(struct oomkill_event *e, struct oom *oom, struct task_struct *victim, u32 known)
{
	bool context = oom->oc_address &&
		       (!config.see_signals || (known & (OOM_SIGNALLED | OOM_SHARED_MM)) || oom->oc.chosen == victim);
	struct mem_cgroup *memcg = context ? oom->oc.memcg : NULL;

	if (context)
		known |= OOM_HAS_CONTEXT;
	e->total_pages = oom->oc.totalpages;
	e->constraint = oom->oc.constraint;
	e->gfp_mask = oom->oc.gfp_mask;
	e->order = oom->oc.order;
	e->limit_pages = 0;
	e->usage_pages = 0;
	if (memcg) {
		known |= OOM_HAS_MEMCG;
		e->limit_pages = BPF_CORE_READ(memcg, memory.max);
		e->usage_pages = BPF_CORE_READ(memcg, memory.usage.counter);
	}
	e->cgroup_len = memcg_path(memcg_of(victim), e->cgroup, sizeof(e->cgroup));
	e->domain_len = memcg_path(memcg, e->domain, sizeof(e->domain));
	return known;
}

static __always_inline void fill_stack(void *ctx, struct oomkill_event *e)
{
	e->stack_bytes = config.kernel_stack ? bpf_get_stack(ctx, e->stack, sizeof(e->stack), 0) : 0;
	if (config.kernel_stack && e->stack_bytes < 0)
		lost(LOSS_NO_STACK);
}

static __always_inline int report(void *ctx, struct task_struct *victim, u32 known)
{
	struct oom *oom = current_oom();

	if (!oom)
		return 0;
	u32 pid = BPF_CORE_READ(victim, tgid);

	identify_oom(oom, victim, known);
	known = signalled(oom, pid, known);
	if (!oom->kill_id)
		oom->kill_id = new_kill_id();
	if (is_reported(oom, pid))
		return 0;

	struct oomkill_event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		lost(LOSS_RING_FULL);
		return 0;
	}
	e->kind = OOMKILL_VICTIM;
	e->time_ns = bpf_ktime_get_ns();
	e->kill_id = oom->kill_id;
	fill_tasks(e, victim, pid);

	struct mm_struct *mm = BPF_CORE_READ(victim, mm);
	u64 pages[MM_COUNTERS] = {};

	known = fill_memory(e, mm, pages, known);
	known = fill_domain(e, oom, victim, known);
	fill_stack(ctx, e);
	e->known = known;
	e->page_bytes = PAGE_SIZE;
	oom->victim_mm = mm;

	struct dying dying = {
		.kill_id = e->kill_id,
		.killed_ns = e->time_ns,
		.pages = pages[MM_FILEPAGES] + pages[MM_ANONPAGES] + pages[MM_SHMEMPAGES],
		.mm = mm,
	};
	bpf_ringbuf_submit(e, 0);
	if (bpf_map_update_elem(&victims, &pid, &dying, BPF_ANY))
		lost(LOSS_MAP_FULL);
	return 0;
}

#endif
