/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * memstall: how long tasks wait for memory, and why.
 *
 * __alloc_pages_slowpath() (mm/page_alloc.c)
 *   __alloc_pages_direct_compact()
 *     psi_memstall_enter() .. compact_zone() .. psi_memstall_leave()
 *						mm_compaction_begin, _end
 *   __alloc_pages_direct_reclaim()
 *     psi_memstall_enter() .. try_to_free_pages() .. psi_memstall_leave()
 *						mm_vmscan_direct_reclaim_begin, _end
 *   out_of_memory()				its entry and return
 * try_charge_memcg() (mm/memcontrol.c), at a limit
 *   psi_memstall_enter() .. try_to_free_mem_cgroup_pages() .. psi_memstall_leave()
 *						mm_vmscan_memcg_reclaim_begin, _end
 * mem_cgroup_handle_over_high(), on the way back to user space
 *   reclaim_high()				as above
 *   psi_memstall_enter() .. schedule_timeout_killable() .. psi_memstall_leave()
 *						sched_switch with in_memstall
 * folio_wait_bit_common() (mm/filemap.c), for a page that was evicted a short while ago
 *   psi_memstall_enter() .. io_schedule() .. psi_memstall_leave()
 *						sched_switch with in_memstall
 * swap_read_folio() (mm/page_io.c)		the same, where it waits
 * balance_dirty_pages() (mm/page-writeback.c)	balance_dirty_pages, then sched_switch
 * balance_pgdat() (mm/vmscan.c), kswapd	mm_vmscan_kswapd_wake, then sched_switch without in_memstall
 * kcompactd_do_work() (mm/compaction.c)	mm_compaction_kcompactd_wake, _sleep
 * do_shrink_slab() (mm/shrinker.c), of all	mm_shrink_slab_start, _end
 */
#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/twice.h"
#include "lib/unpreempted.h"
#include "memstall/causes.h"
#include "memstall/functions.h"
#include "memstall/limits.h"
#include "memstall/otherside.h"
#include "memstall/pieces.h"
#include "memstall/state.h"
#include "memstall/switches.h"
#include "memstall/weights.h"
#include "memstall/writers.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline int direct_begins(int order, u32 gfp)
{
	struct beginning b = {
		.cause = MEMSTALL_DIRECT_RECLAIM, .kind = MEMSTALL_BY_DIRECT, .gfp = gfp, .order = order, .psi = true
	};

	begin_stall(&b);
	return 0;
}

/* `memcg` is NULL where nothing names it. */
static __always_inline int memcg_begins(void *ctx, struct mem_cgroup *memcg, int order, u32 gfp)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	bool psi = in_memstall(task);
	u32 cause = memcg_cause(places_of_stack(ctx), psi);
	struct beginning b = { .cause = cause, .kind = MEMSTALL_BY_MEMCG, .gfp = gfp, .order = order, .psi = psi };

	if (memcg)
		b.limit_cgroup = cgroup_of(memcg);
	else if (cause != MEMSTALL_ASKED)
		b.limit_cgroup = limit_by_counters(cause == MEMSTALL_MEMCG_HIGH);
	begin_stall(&b);
	return 0;
}

TWICE("tp_btf/mm_vmscan_direct_reclaim_begin", direct_begin, btf, int order, u32 gfp)
{
	return direct_begins(order, gfp);
}

TWICE("tp_btf/mm_vmscan_direct_reclaim_end", direct_end, btf, u64 reclaimed)
{
	end_stall(MEMSTALL_BY_DIRECT, reclaimed);
	return 0;
}

/* Since 7.2 the mask comes first, and the cgroup last. */
TWICE("tp_btf/mm_vmscan_direct_reclaim_begin", direct_gfp, btf, u32 gfp, int order)
{
	return direct_begins(order, gfp);
}

TWICE("tp_btf/mm_vmscan_memcg_reclaim_begin", memcg_begin, btf, int order, u32 gfp)
{
	return memcg_begins(ctx, NULL, order, gfp);
}

TWICE("tp_btf/mm_vmscan_memcg_reclaim_begin", memcg_named, btf, u32 gfp, int order, struct mem_cgroup *memcg)
{
	return memcg_begins(ctx, memcg, order, gfp);
}

/* try_to_free_mem_cgroup_pages(), whose arguments have one more since 6.9: the first three are the same */
TWICE("fentry/try_to_free_mem_cgroup_pages", memcg_named, fentry, struct mem_cgroup *memcg, unsigned long pages,
      u32 gfp)
{
	return memcg_begins(ctx, memcg, 0, gfp);
}

SEC("kprobe/try_to_free_mem_cgroup_pages")
int BPF_KPROBE(memcg_named_kprobe, struct mem_cgroup *memcg, unsigned long pages, u32 gfp)
{
	return memcg_begins(ctx, memcg, 0, gfp);
}

TWICE("tp_btf/mm_vmscan_memcg_reclaim_end", memcg_end, btf, u64 reclaimed)
{
	end_stall(MEMSTALL_BY_MEMCG, reclaimed);
	return 0;
}

/* A zone's compaction, for an allocation, by kcompactd, or because a control file was written. */
TWICE("tp_btf/mm_compaction_begin", compaction_begin, btf)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	bool psi = in_memstall(task), kernel = BPF_CORE_READ(task, flags) & PF_KTHREAD;
	struct beginning b = { .cause = !psi	 ? MEMSTALL_ASKED
					: kernel ? MEMSTALL_KCOMPACTD
						 : MEMSTALL_COMPACTION,
			       .kind = MEMSTALL_BY_COMPACTION,
			       .order = -1,
			       .psi = psi };

	begin_stall(&b);
	return 0;
}

TWICE("tp_btf/mm_compaction_end", compaction_end, btf)
{
	end_stall(MEMSTALL_BY_COMPACTION, 0);
	return 0;
}

SEC("tp_btf/mm_vmscan_kswapd_wake")
int UNPREEMPTED(kswapd_wake_btf, int node, int zone, int order)
{
	struct beginning b = { .cause = MEMSTALL_KSWAPD, .kind = MEMSTALL_BY_KSWAPD, .order = order, .psi = true };

	kswapd_round(node, order);

	begin_stall(&b);
	return 0;
}

/* Not UNPREEMPTED: the scheduler holds its run queue's lock. */
SEC("tp_btf/sched_switch")
int BPF_PROG(switch_btf, bool preempted, struct task_struct *from, struct task_struct *to)
{
	if (may_stall(from) || setting(MEMSTALL_LOOKS))
		goes_off(ctx, BPF_CORE_READ_BITFIELD(from, in_memstall));
	if (may_stall(to))
		comes_on(to->pid);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int UNPREEMPTED(exit_btf)
{
	struct memstall_task *t = current_stall();

	if (t)
		drop_stall(t);
	return 0;
}
