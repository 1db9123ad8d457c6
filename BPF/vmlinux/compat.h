/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What some kernels have otherwise than the types in core.h, mm.h, fs.h and cgroup.h
 * say: flavours, which libbpf matches by the name before the `___`. Each says which kernels
 * have it, since or until which commit, and with which longterm kernel's end it goes: then
 * nothing that is supported has the older layout any more.
 */
#ifndef SWIFTMEM_VMLINUX_COMPAT_H
#define SWIFTMEM_VMLINUX_COMPAT_H

#include "vmlinux/cgroup.h"
#include "vmlinux/fs.h"
#include "vmlinux/mm.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/*
 * Until 6.0, before 7f203bc89eb6 ("cgroup: Replace cgroup->ancestor_ids[] with ->ancestors[]"):
 * a cgroup carries the ids of those above it. Programs of probes need them, which may not
 * call the helper for it before 5.15. Goes with 5.10: December 2026.
 */
struct cgroup___ancestor_ids {
	u64 ancestor_ids[1];
};

/*
 * Until 5.19, before 5f69a6577bc3 ("psi: dont alloc memory for psi by default"): what PSI keeps of a cgroup
 * is part of it. Goes with 5.15: December 2026.
 */
struct cgroup___psi_inside {
	struct psi_group psi;
};

/*
 * Since 7.2 as Debian builds it: newer pahole tells of rows of an array, where older ones made them one. Goes when no
 * kernel is built with the older ones, with 6.12: December 2028.
 */
struct psi_group_cpu___rows {
	u32 times_prev[1][1];
};

/*
 * Until 6.1, before f1a7941243c1 ("mm: convert mm's rss stats into percpu_counter"): an address
 * space has one counter a member, to which a task adds 64 pages late. Goes with 6.1: December 2027.
 */
struct mm_rss_stat {
	atomic_long_t count[4];
};

struct mm_struct___unsplit_rss {
	struct mm_rss_stat rss_stat;
};

struct task_rss_stat {
	int events;
	int count[4];
};

struct task_struct___unsplit_rss {
	struct task_rss_stat rss_stat;
};

/*
 * Until 5.10, before bcfe06bf2622 ("mm: memcontrol: Use helpers to read page's memcg data"): the cgroup's
 * own field. Goes with 5.10: December 2026.
 */
struct page___mem_cgroup {
	struct mem_cgroup *mem_cgroup;
};

/*
 * Until 6.14: the pages of a large folio, renamed in 6.15 ("mm: let _folio_nr_pages overlay
 * memcg_data in first tail page"). Goes with 6.12: December 2028.
 */
struct folio___folio_nr_pages {
	unsigned int _folio_nr_pages;
};

/* Since 6.15, the same commit. Stays when the one above goes, as a field of struct folio. */
struct folio___nr_pages {
	unsigned int _nr_pages;
};

/*
 * Since 6.15, 741c10b096bc ("kernfs: Use RCU to access kernfs_node::name/parent"). Becomes
 * kernfs_node's own field with the end of 6.12: December 2028.
 */
struct kernfs_node___rcu {
	struct kernfs_node *__parent;
};

/*
 * Since 6.18, 53fbef56e07d ("mm: introduce memdesc_flags_t"): flags are a struct. Becomes
 * folio's own field with the end of 6.12: December 2028.
 */
typedef struct {
	unsigned long f;
} memdesc_flags_t;

struct folio___memdesc {
	memdesc_flags_t flags;
};

/* Since 7.1: what reclaim takes is counted by node. Stays when older kernels are gone. */
enum node_stat_item {
	PGSTEAL_ANON,
	PGSTEAL_FILE,
};

/* Since 7.2: the union lost its name. Becomes dentry's own field with the end of 6.18. */
struct dentry___unnamed {
	struct hlist_node d_alias;
};

#pragma clang attribute pop

#endif
