/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * --evicted: whose pages reclaim takes, and who reclaims.
 *
 * shrink_inactive_list() (mm/vmscan.c), of the classic lists
 *   count_memcg_events PGSTEAL_*		the owner, until 7.0
 *   mod_memcg_lruvec_state PGSTEAL_ANON, _FILE	the owner and which, since 7.1
 *   mm_vmscan_lru_shrink_inactive		which, behind it
 * evict_folios(), of the generations		the same, but which comes first
 * __remove_mapping()
 *   workingset_eviction()			each folio, where functions can be hooked
 */
#ifndef SWIFTMEM_MEMSTALL_EVICTIONS_H
#define SWIFTMEM_MEMSTALL_EVICTIONS_H

#include "vmlinux/compat.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/unpreempted.h"
#include "memstall/pieces.h"
#include "memstall/state.h"
#include "pagecache/folio.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MEMSTALL_EVICTIONS);
	__type(key, struct memstall_eviction_key);
	__type(value, struct memstall_eviction);
} evictions SEC(".maps");

/* What one of two events has said of pages of which the other is to come. */
struct half_eviction {
	u64 owner; /* 0: not known yet */
	u64 pages;
	u32 kind;
	u32 padding;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MEMSTALL_TASKS);
	__type(key, u32);
	__type(value, struct half_eviction);
} half_evictions SEC(".maps");

/* Pages of `owner` that the current task has evicted. */
static __noinline int evicted(u64 owner, u32 kind, u64 pages)
{
	struct memstall_task *t = current_stall();
	struct memstall_piece *p = t ? innermost(t) : NULL;
	struct task_struct *task = (void *)bpf_get_current_task();
	struct memstall_eviction_key key = { .owner = owner, .cause = p ? p->cause : MEMSTALL_OTHER };
	union memstall_blank *zeros = blank();

	if (!zeros || kind >= MEMSTALL_EVICTION_KINDS || !(t ? t->wanted : filtered_in()))
		return 0;
	if (p)
		key.limit = p->limit_cgroup;
	if (!(BPF_CORE_READ(task, flags) & PF_KTHREAD))
		key.evictor = t ? t->cgroup : cgroup_of(memcg_of(task));
	struct memstall_eviction *e = bpf_map_lookup_elem(&evictions, &key);

	if (!e) {
		bpf_map_update_elem(&evictions, &key, &zeros->eviction, BPF_NOEXIST);
		e = bpf_map_lookup_elem(&evictions, &key);
	}
	if (!e)
		lost(LOSS_MAP_FULL);
	else
		__atomic_fetch_add(&e->pages[kind], pages, __ATOMIC_RELAXED);
	return 0;
}

/* One of the two events; the owner's has no kind, the kind's no owner. */
static __noinline int half_evicted(u64 owner, u32 kind, u64 pages)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct half_eviction *other = bpf_map_lookup_elem(&half_evictions, &tid),
			     half = { .owner = owner, .kind = kind, .pages = pages };

	if (!pages)
		return 0;
	if (other && other->pages == pages && !other->owner != !owner) {
		evicted(owner ? owner : other->owner, owner ? other->kind : kind, pages);
		bpf_map_delete_elem(&half_evictions, &tid);
		return 0;
	}
	/* its other half was not seen */
	if (other && other->owner)
		evicted(other->owner, MEMSTALL_UNKNOWN_KIND, other->pages);
	if (bpf_map_update_elem(&half_evictions, &tid, &half, BPF_ANY))
		lost(LOSS_TASK_STATE);
	return 0;
}

#define IS_ITEM(set, name, item) \
	(bpf_core_enum_value_exists(enum set, name) && (item) == (int)bpf_core_enum_value(enum set, name))

SEC("tp_btf/count_memcg_events")
int UNPREEMPTED(evicted_owner_btf, struct mem_cgroup *memcg, int item, unsigned long pages)
{
	if (IS_ITEM(vm_event_item, PGSTEAL_DIRECT, item) || IS_ITEM(vm_event_item, PGSTEAL_KSWAPD, item) ||
	    IS_ITEM(vm_event_item, PGSTEAL_KHUGEPAGED, item) || IS_ITEM(vm_event_item, PGSTEAL_PROACTIVE, item))
		half_evicted(cgroup_of(memcg), 0, pages);
	return 0;
}

/* `file`: which list, 0 the one of anonymous memory (and of shared memory, which goes to swap too) */
SEC("tp_btf/mm_vmscan_lru_shrink_inactive")
int UNPREEMPTED(evicted_kind_btf, int node, unsigned long scanned, unsigned long reclaimed, void *stat, int priority,
		int file)
{
	half_evicted(0, file ? MEMSTALL_FILE : MEMSTALL_ANONYMOUS, reclaimed);
	return 0;
}

SEC("tp_btf/mod_memcg_lruvec_state")
int UNPREEMPTED(evicted_state_btf, struct mem_cgroup *memcg, int item, int pages)
{
	bool anonymous = IS_ITEM(node_stat_item, PGSTEAL_ANON, item);

	if ((anonymous || IS_ITEM(node_stat_item, PGSTEAL_FILE, item)) && pages > 0)
		evicted(cgroup_of(memcg), anonymous ? MEMSTALL_ANONYMOUS : MEMSTALL_FILE, pages);
	return 0;
}

static __always_inline struct mem_cgroup *folio_memcg(struct folio *folio)
{
	struct page *page = (void *)folio;
	struct page___mem_cgroup *older = (void *)folio;
	u64 data = 0;

	if (bpf_core_field_exists(folio->memcg_data))
		data = BPF_CORE_READ(folio, memcg_data);
	else if (bpf_core_field_exists(page->memcg_data))
		data = BPF_CORE_READ(page, memcg_data);
	else
		data = (u64)BPF_CORE_READ(older, mem_cgroup);
	/* MEMCG_DATA_FLAGS_MASK (include/linux/memcontrol.h) */
	return (void *)(data & ~7ULL);
}

static __always_inline int folio_evicted(struct folio *folio)
{
	bool anonymous = folio_flags(folio) & (1UL << bpf_core_enum_value(enum pageflags, PG_swapbacked));

	evicted(cgroup_of(folio_memcg(folio)), anonymous ? MEMSTALL_ANONYMOUS : MEMSTALL_FILE, folio_pages(folio));
	return 0;
}

/* void *workingset_eviction(struct folio *folio, struct mem_cgroup *target_memcg); a page before 5.16 */
SEC("fentry/workingset_eviction")
int UNPREEMPTED(evicted_folio_fentry, struct folio *folio)
{
	return folio_evicted(folio);
}

SEC("kprobe/workingset_eviction")
int BPF_KPROBE(evicted_folio_kprobe, struct folio *folio)
{
	return folio_evicted(folio);
}

#endif
