/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * swapin: pages that came back from swap, by the process that had them read, and
 * what it waited for them.
 *
 * do_swap_page() (mm/memory.c), in the task that faults; shmem, madvise and
 * swapoff come by other ways to the same reads:
 *   swapin_readahead()
 *     swap_read_folio()		each folio; swap_readpage() until 6.8
 *       zero-filled			count_memcg_events SWPIN_ZERO (6.12)
 *       zswap_load()			count_memcg_events ZSWPIN
 *       the device			count_memcg_events PSWPIN
 *   count_memcg_events PGMAJFAULT	the fault had to read
 *   folio_lock_or_retry()		may return, to be called again
 *   add_mm_counter(MM_SWAPENTS, -n)	kmem:rss_stat: n pages are mapped
 */
#include "lib/kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/filter.h"
#include "pagecache/folio.h"
#include "lib/loss.h"
#define MAPPED_MEMBER MM_SWAPENTS
#include "pagecache/mapped.h"
#include "lib/swap_process.h"
#include "swapin.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct swapin_config config SEC(".rodata.config") = {};

enum vm_event_item {
	PSWPIN,
	PGMAJFAULT,
	ZSWPIN,
	SWPIN_ZERO,
};

#define VM_FAULT_MAJOR 0x4
#define VM_FAULT_RETRY 0x400

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
/* until 6.2: what a task has not yet added to its mm's counters */
struct task_rss_stat {
	int events;
	int count[4];
};
struct task_struct___faults {
	unsigned long min_flt, maj_flt;
};
struct task_struct___split_rss {
	struct task_rss_stat rss_stat;
};
struct mm_struct___owner {
	struct task_struct *owner;
};
typedef struct {
	unsigned long pte;
} pte_t;
struct vm_fault {
	pte_t orig_pte;
};
#pragma clang attribute pop

/* What a thread is in the middle of. */
struct progress {
	u64 fault_ns; /* do_swap_page() was entered, 0: it was not */
	u64 earlier_ns; /* its rounds before that ended with a retry */
	u32 reading; /* pages of the folio being read */
	u32 zswap; /* of it: 0 not asked, 1 does not have it, 2 has it */
	u32 reads; /* pages read since the last major fault */
	u32 padding;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, struct progress);
} threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SWAPIN_SLOTS);
	__type(key, u32);
	__type(value, u64);
} wait_slots SEC(".maps");

/* The number of the interval, which user space advances. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} interval SEC(".maps");

static __always_inline struct swapin_counters *current_process(void)
{
	return process_of((void *)bpf_get_current_task());
}

static __always_inline struct progress *current_progress(bool create)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct progress *p = bpf_map_lookup_elem(&threads, &tid);

	if (!p && create) {
		struct progress none = {};

		bpf_map_update_elem(&threads, &tid, &none, BPF_ANY);
		p = bpf_map_lookup_elem(&threads, &tid);
		if (!p)
			lost(LOSS_TASK_STATE);
	}
	return p;
}

static __always_inline void count_wait(u64 ns)
{
	struct swapin_counters *c = current_process();
	u32 zero = 0, slot = 0;

	if (!c)
		return;
	c->waits += 1;
	c->wait_ns += ns;
	u32 *now = bpf_map_lookup_elem(&interval, &zero);
	u32 epoch = now ? *now : 0;

	if (c->epoch[epoch & 1] != epoch) {
		c->epoch[epoch & 1] = epoch;
		c->longest_ns[epoch & 1] = 0;
	}
	if (c->longest_ns[epoch & 1] < ns)
		c->longest_ns[epoch & 1] = ns;
	for (u64 us = ns / 1000; us > 1 && slot < SWAPIN_SLOTS - 1; us >>= 1)
		slot++;
	u64 *count = bpf_map_lookup_elem(&wait_slots, &slot);

	if (count)
		*count += 1;
}

/* ---- pages, by the kernel's own counting of them (6.13) ---- */

SEC("tp_btf/count_memcg_events")
int BPF_PROG(memcg_event_btf, struct mem_cgroup *memcg, int event, unsigned long count)
{
	bool device = event == (int)bpf_core_enum_value(enum vm_event_item, PSWPIN);
	bool zswap = bpf_core_enum_value_exists(enum vm_event_item, ZSWPIN) &&
		     event == (int)bpf_core_enum_value(enum vm_event_item, ZSWPIN);
	bool zero = bpf_core_enum_value_exists(enum vm_event_item, SWPIN_ZERO) &&
		    event == (int)bpf_core_enum_value(enum vm_event_item, SWPIN_ZERO);

	if (device || zswap || zero) {
		struct swapin_counters *c = current_process();

		if (!c)
			return 0;
		c->pages += count;
		if (zswap)
			c->zswap_pages += count;
		if (zero)
			c->zero_pages += count;
		struct progress *p = config.asked_by_event ? current_progress(true) : NULL;

		if (p)
			p->reads += count;
		return 0;
	}
	if (config.asked_by_event && event == (int)bpf_core_enum_value(enum vm_event_item, PGMAJFAULT)) {
		/* a file's major faults count the same event: theirs follow no read from swap */
		struct progress *p = current_progress(false);

		if (p && p->reads) {
			struct swapin_counters *c = current_process();

			if (c)
				c->asked_faults += 1;
			p->reads = 0;
		}
	}
	return 0;
}

/* ---- pages, by the function that reads them ---- */

static __always_inline int reading(u32 pages)
{
	struct progress *p = current_progress(true);

	if (p) {
		p->reading = pages;
		p->zswap = 0;
	}
	return 0;
}

static __always_inline int zswap_answered(bool has)
{
	struct progress *p = current_progress(false);

	if (p && p->reading)
		p->zswap = has ? 2 : 1;
	return 0;
}

/* Only kernels that keep zero-filled pages apart ask zswap for every other one. */
static __always_inline int reading_done(void)
{
	struct progress *p = current_progress(false);

	if (!p || !p->reading)
		return 0;
	struct swapin_counters *c = current_process();

	if (c) {
		c->pages += p->reading;
		if (p->zswap == 2)
			c->zswap_pages += p->reading;
		else if (p->zswap == 0 && bpf_core_enum_value_exists(enum vm_event_item, SWPIN_ZERO))
			c->zero_pages += p->reading;
	}
	p->reading = 0;
	if (!p->fault_ns && !p->earlier_ns) {
		u32 tid = bpf_get_current_pid_tgid();

		bpf_map_delete_elem(&threads, &tid);
	}
	return 0;
}

SEC("fentry/swap_read_folio")
int BPF_PROG(read_folio_fentry, struct folio *folio)
{
	return reading(folio_pages(folio));
}

SEC("fexit/swap_read_folio")
int BPF_PROG(read_folio_fexit)
{
	return reading_done();
}

SEC("kprobe/swap_read_folio")
int BPF_KPROBE(read_folio_kprobe, struct folio *folio)
{
	return reading(folio_pages(folio));
}

SEC("kretprobe/swap_read_folio")
int BPF_KRETPROBE(read_folio_kretprobe)
{
	return reading_done();
}

/* until 6.8; a page at a time: larger folios are swapped in since 6.12 */
SEC("fentry/swap_readpage")
int BPF_PROG(read_page_fentry)
{
	return reading(1);
}

SEC("fexit/swap_readpage")
int BPF_PROG(read_page_fexit)
{
	return reading_done();
}

SEC("kprobe/swap_readpage")
int BPF_KPROBE(read_page_kprobe)
{
	return reading(1);
}

SEC("kretprobe/swap_readpage")
int BPF_KRETPROBE(read_page_kretprobe)
{
	return reading_done();
}

/* zswap_load(): until 6.13 it says whether it had the folio, since then 0 or -ENOENT */
SEC("fexit/zswap_load")
int BPF_PROG(zswap_bool_fexit, struct folio *folio, bool has)
{
	return zswap_answered(has);
}

SEC("fexit/zswap_load")
int BPF_PROG(zswap_int_fexit, struct folio *folio, int error)
{
	return zswap_answered(error != -2);
}

SEC("kretprobe/zswap_load")
int BPF_KRETPROBE(zswap_bool_kretprobe, long result)
{
	return zswap_answered((u8)result);
}

SEC("kretprobe/zswap_load")
int BPF_KRETPROBE(zswap_int_kretprobe, long result)
{
	return zswap_answered((int)result != -2);
}

/* until 6.5; asked only when there is a zswap */
SEC("fexit/__frontswap_load")
int BPF_PROG(frontswap_fexit, void *page, int error)
{
	return zswap_answered(error == 0);
}

SEC("kretprobe/__frontswap_load")
int BPF_KRETPROBE(frontswap_kretprobe, long result)
{
	return zswap_answered((int)result == 0);
}

/* ---- waits, by the function that serves the fault ---- */

/* A migrating page's entry looks like swap's, with a type of its own above all devices'. */
static __always_inline bool is_swap(struct vm_fault *vmf)
{
#if defined(__TARGET_ARCH_x86)
	return BPF_CORE_READ(vmf, orig_pte.pte) >> 59 < 20;
#else
	return true;
#endif
}

static __always_inline int fault_begins(struct vm_fault *vmf)
{
	if (!is_swap(vmf))
		return 0;
	struct progress *p = current_progress(true);

	if (p)
		p->fault_ns = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int fault_ends(u32 result)
{
	struct progress *p = current_progress(false);

	if (!p || !p->fault_ns)
		return 0;
	u64 spent = p->earlier_ns + (bpf_ktime_get_ns() - p->fault_ns);

	p->fault_ns = 0;
	if (!config.asked_by_event && (result & VM_FAULT_MAJOR)) {
		struct swapin_counters *c = current_process();

		if (c)
			c->asked_faults += 1;
	}
	/* the page's lock was waited for; the fault comes again for the same page */
	p->earlier_ns = result & VM_FAULT_RETRY ? spent : 0;
	if (result & VM_FAULT_RETRY)
		return 0;
	count_wait(spent);
	if (!p->reads) {
		u32 tid = bpf_get_current_pid_tgid();

		bpf_map_delete_elem(&threads, &tid);
	}
	return 0;
}

SEC("fentry/do_swap_page")
int BPF_PROG(swap_fault_fentry, struct vm_fault *vmf)
{
	return fault_begins(vmf);
}

SEC("fexit/do_swap_page")
int BPF_PROG(swap_fault_fexit, struct vm_fault *vmf, unsigned int result)
{
	return fault_ends(result);
}

SEC("kprobe/do_swap_page")
int BPF_KPROBE(swap_fault_kprobe, struct vm_fault *vmf)
{
	return fault_begins(vmf);
}

SEC("kretprobe/do_swap_page")
int BPF_KRETPROBE(swap_fault_kretprobe, long result)
{
	return fault_ends(result);
}

/* ---- waits and pages, by tracepoints: from the page fault to the page's mapping ---- */

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
	struct task_struct___faults *t = (void *)task;

	return BPF_CORE_READ(t, min_flt) + BPF_CORE_READ(t, maj_flt);
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
int BPF_PROG(user_fault_btf)
{
	return page_fault_begins();
}

SEC("tp_btf/page_fault_kernel")
int BPF_PROG(kernel_fault_btf)
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

static __always_inline void swapped_out(struct mm_struct *mm, u64 pages)
{
	struct mm_struct___owner *m = (void *)mm;
	struct task_struct *owner = NULL;

	if (bpf_core_field_exists(m->owner))
		owner = BPF_CORE_READ(m, owner);
	struct swapin_counters *c = owner ? process_of(owner) : NULL;

	if (c)
		c->swapout_pages += pages;
}

/* Swap entries of address spaces that were followed from the start: since 6.2. */
SEC("tp_btf/rss_stat")
int BPF_PROG(swap_rss_btf, struct mm_struct *mm, int member)
{
	u64 key = address_of(mm);

	if (member != MM_SWAPENTS || !bpf_map_lookup_elem(&mapped_spaces, &key))
		return 0;
	s64 change = mapped_change(mm, true);

	if (change > 0 && config.swapouts)
		swapped_out(mm, change);
	if (change >= 0 || !(config.pages_by_fault || config.waits_by_fault))
		return 0;
	u64 begin = page_fault_served();

	if (!begin)
		return 0;
	if (config.pages_by_fault) {
		struct swapin_counters *c = current_process();

		if (c)
			c->pages += -change;
	}
	if (config.waits_by_fault)
		count_wait(bpf_ktime_get_ns() - begin);
	return 0;
}

static __always_inline void follow(struct mm_struct *mm)
{
	mapped_gone(mm); /* another that lived at its address */
	mapped_seed(mm);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(mm_exec_btf, struct task_struct *task)
{
	if (task->mm)
		follow(task->mm);
	return 0;
}

/* A fork copies swap entries before this: nothing of that was swapped out. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(mm_fork_btf, struct task_struct *parent, struct task_struct *child)
{
	if (child->mm && child->mm != parent->mm)
		follow(child->mm);
	return 0;
}

SEC("iter/task")
int mm_start_iter(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task && task->pid == task->tgid && task->mm)
		mapped_seed(task->mm);
	return 0;
}

/* ---- the same until 6.1: one counter an mm, and what each thread has not added yet ---- */

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAPPED_SPACES);
	__type(key, u64);
	__type(value, s64);
} swap_counts SEC(".maps");

static __always_inline u64 mm_key(struct mm_struct *mm)
{
	u64 key = 0;

	bpf_probe_read_kernel(&key, sizeof(key), &mm);
	return key;
}

static __always_inline void follow_count(struct mm_struct *mm)
{
	struct mm_struct___atomic_rss *old = (void *)mm;
	u64 key = mm_key(mm);
	s64 count = 0;

	bpf_core_read(&count, sizeof(count), &old->rss_stat.count[MM_SWAPENTS].counter);
	if (bpf_map_update_elem(&swap_counts, &key, &count, BPF_ANY))
		lost(LOSS_MAP_FULL);
}

SEC("tp_btf/rss_stat")
int BPF_PROG(unsplit_rss_btf, struct mm_struct *mm, int member, long count)
{
	if (member != MM_SWAPENTS)
		return 0;
	u64 key = mm_key(mm);
	s64 *last = bpf_map_lookup_elem(&swap_counts, &key);

	if (!last)
		return 0;
	s64 change = count - *last;

	*last = count;
	if (change > 0 && config.swapouts)
		swapped_out(mm, change);
	if (change >= 0 || !config.pages_by_fault)
		return 0;
	/*
	 * Only do_swap_page() takes pages off by way of the thread's own count, which is
	 * added here and not yet zeroed; an unmapping finds it zero. What reclaim adds
	 * meanwhile, in this same task, is no such moment.
	 */
	struct task_struct___split_rss *task = (void *)bpf_get_current_task();
	int flushed = 0;

	bpf_core_read(&flushed, sizeof(flushed), &task->rss_stat.count[MM_SWAPENTS]);
	if (flushed < 0) {
		struct swapin_counters *c = current_process();

		if (c)
			c->pages += -flushed;
	}
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(unsplit_exec_btf, struct task_struct *task)
{
	if (task->mm)
		follow_count(task->mm);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(unsplit_fork_btf, struct task_struct *parent, struct task_struct *child)
{
	if (child->mm && child->mm != parent->mm)
		follow_count(child->mm);
	return 0;
}

SEC("iter/task")
int unsplit_start_iter(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task && task->pid == task->tgid && task->mm)
		follow_count(task->mm);
	return 0;
}
