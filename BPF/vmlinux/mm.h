/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Memory: address spaces, pages and folios, faults, slab caches, the OOM killer. core.h says how to declare. */
#ifndef SWIFTMEM_VMLINUX_MM_H
#define SWIFTMEM_VMLINUX_MM_H

#include "vmlinux/core.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/linux/shrinker.h */
struct shrinker {
	unsigned long (*scan_objects)(struct shrinker *shrinker, void *control);
};

/* include/linux/percpu_counter.h: the value is count plus every CPU's counter */
struct percpu_counter {
	s64 count;
	s32 *counters;
};

/* kernel/events/uprobes.c: returns of probed functions are caught in the area's first slot */
struct xol_area {
	unsigned long vaddr;
};

/* include/linux/uprobes.h */
struct uprobes_state {
	struct xol_area *xol_area;
};

/* include/linux/mm_types.h */
struct mm_struct {
	unsigned long task_size; /* where addresses end, of the program that runs now */
	unsigned long total_vm;
	unsigned long arg_start, arg_end;
	atomic_long_t pgtables_bytes;
	struct percpu_counter rss_stat[4]; /* compat.h has the layout until 6.1 */
	struct uprobes_state uprobes_state;
	struct task_struct *owner; /* with CONFIG_MEMCG */
};

struct vm_area_struct {
	unsigned long vm_start, vm_end;
	unsigned long vm_pgoff;
	struct file *vm_file;
};

/* include/linux/mm.h: room that is wanted for a mapping */
struct vm_unmapped_area_info {
	unsigned long length;
};

struct folio {
	unsigned long flags; /* compat.h has its type since 6.18 */
	struct address_space *mapping;
	unsigned long index;
	unsigned long memcg_data;
};

/* Its fields but flags are gone from the page one by one since 5.16, as folio and slab take them. */
struct page {
	unsigned long flags;
	struct address_space *mapping;
	unsigned long index;
	unsigned long compound_head;
	unsigned int compound_nr; /* in a compound page's second page */
	struct kmem_cache *slab_cache;
	unsigned long memcg_data; /* compat.h has it until 5.10 */
};

/* arch/x86/include/asm/pgtable_types.h, arch/arm64/include/asm/pgtable-types.h */
typedef struct {
	unsigned long pte;
} pte_t;

/* include/linux/mm.h */
struct vm_fault {
	struct vm_area_struct *vma;
	unsigned long pgoff;
	pte_t orig_pte;
	void *pte;
};

/* mm/slab.h; struct slab since 5.17, d122019bf061 ("mm: Split slab into its own type") */
struct kmem_cache {
	const char *name;
	unsigned int object_size;
};

struct slab {
	struct kmem_cache *slab_cache;
};

/* include/linux/oom.h, the same from 5.10 to 7.2 */
enum oom_constraint {
	CONSTRAINT_NONE,
};

struct oom_control {
	struct mem_cgroup *memcg;
	unsigned int gfp_mask;
	int order;
	unsigned long totalpages;
	struct task_struct *chosen;
	enum oom_constraint constraint;
};

#pragma clang attribute pop

/* include/linux/mm_types_task.h */
enum {
	MM_FILEPAGES,
	MM_ANONPAGES,
	MM_SWAPENTS,
	MM_SHMEMPAGES,
	MM_COUNTERS,
};

/* include/linux/page-flags.h; the value is the running kernel's */
enum pageflags {
	PG_head,
	PG_swapbacked,
};

/* include/linux/vm_event_item.h; the values are the running kernel's */
enum vm_event_item {
	PSWPIN,
	PGMAJFAULT,
	ZSWPIN,
	SWPIN_ZERO,
	PGSTEAL_KSWAPD,
	PGSTEAL_DIRECT,
	PGSTEAL_KHUGEPAGED,
	PGSTEAL_PROACTIVE,
};

/* include/linux/mm_types.h, enum vm_fault_reason */
#define VM_FAULT_MAJOR 0x4
#define VM_FAULT_RETRY 0x400

/* include/linux/gfp_types.h: the same bit from 5.10 to 7.2, in an enum without a name */
#define ___GFP_WRITE 0x1000u

#endif
