/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * memleak of the kernel: what it allocates and does not free.
 *
 *   kmalloc(), kmem_cache_alloc()	kmem:kmalloc, kmem:kmem_cache_alloc (and _node
 *					until 6.0, 11e9734bcb6a)
 *   kfree(), kmem_cache_free()		kmem:kfree, kmem:kmem_cache_free
 *   __alloc_pages()			kmem:mm_page_alloc
 *   free_pages_prepare()		kmem:mm_page_free, once for all pages of an
 *					order; mm_page_free_batched comes in addition,
 *					for some of them, and is not asked
 *   pcpu_alloc(), free_percpu()	percpu:percpu_{alloc,free}_percpu
 *
 * Two ways of freeing pass no tracepoint, and stand on functions where the kernel
 * allows it: kmem_cache_free_bulk(), and from 6.18 on kfree_rcu(), which puts
 * objects into sheaves. Where neither can be had, an object whose address is given
 * out again was freed unseen: it is replaced, and its cache marked.
 *
 * Nothing here may allocate: all maps have their room from the start. The kernel
 * skips a program that it interrupted in itself (6.1): RCU frees hundreds of objects
 * in an interrupt, which would all stay as leaks. So two programs stand on each
 * free, the second for what the first was skipped for. An allocation that is
 * skipped is counted, as is one that finds its room for a stack busy.
 */
#include "lib/kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/kernel_stack.h"
#include "lib/loss.h"
#include "kernelleak.h"
#include "memleak.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct kernelleak_config config SEC(".rodata.config") = {};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct kmem_cache {
	const char *name;
	unsigned int object_size;
};
struct slab {
	struct kmem_cache *slab_cache;
};
/* until 5.16, d122019bf061 ("mm: Split slab into its own type") */
struct page {
	unsigned long compound_head;
	struct kmem_cache *slab_cache;
};
struct callback_head;
#pragma clang attribute pop

/* since 6.13, a992d7a3979120fbd7c13435d27b3da8d9ed095a */
extern struct kmem_cache *bpf_get_kmem_cache(u64 addr) __ksym __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, u64);
	__type(value, struct kernelleak_block);
} blocks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, struct kernelleak_total);
} totals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2048);
	__type(key, u64);
	__type(value, struct kernelleak_cache);
} caches SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct kernelleak_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct kernelleak_sampling);
} sampling SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} events SEC(".maps");

struct scratch {
	u64 busy;
	struct kstack_record record;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, KERNELLEAK_PROGRAMS);
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/* The free that the first program has seen and the second has not, yet. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, KERNELLEAK_FREES);
	__type(key, u32);
	__type(value, u64);
} seen_frees SEC(".maps");

#define COUNT(name) \
	do { \
		u32 zero_ = 0; \
		struct kernelleak_counters *all_ = bpf_map_lookup_elem(&counters, &zero_); \
		if (all_) \
			__atomic_fetch_add(&all_->name, 1, __ATOMIC_RELAXED); \
	} while (0)

/* ZERO_SIZE_PTR, which kmalloc(0) gives, is 16. */
#define IS_MEMORY(address) ((address) > 16)

static __always_inline u32 current_pid(void)
{
	return bpf_get_current_pid_tgid() >> 32;
}

static __always_inline void tell(u32 op, u64 address, u64 size, bool recorded)
{
	struct memleak_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		lost(LOSS_RING_FULL);
		return;
	}
	u64 id = bpf_get_current_pid_tgid();

	__builtin_memset(event, 0, sizeof(*event));
	event->kind = MEMLEAK_TRACED;
	event->op = op;
	event->pid = id >> 32;
	event->tid = (u32)id;
	event->time_ns = bpf_ktime_get_ns();
	event->address = address;
	event->result = address;
	event->length = size;
	event->recorded = recorded;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	bpf_ringbuf_submit(event, 0);
}

/* ---- slab caches ---------------------------------------------------------------- */

/* A cache's row, made at first sight; NULL: no room. */
static __always_inline struct kernelleak_cache *cache_row(u64 cache)
{
	struct kmem_cache *there = (void *)cache;
	u64 name = (u64)BPF_CORE_READ(there, name);
	struct kernelleak_cache *row = bpf_map_lookup_elem(&caches, &cache);

	if (row && row->name_address == name)
		return row;

	struct kernelleak_cache fresh = { .name_address = name, .wanted = 1 };

	if (bpf_probe_read_kernel_str(fresh.name, sizeof(fresh.name), (void *)name) < 0)
		lost(LOSS_UNREADABLE);
	for (int i = 0; config.by_cache && i < KERNELLEAK_CACHE_NAME; i++) {
		if (fresh.name[i] != config.cache[i]) {
			fresh.wanted = 0;
			break;
		}
		if (!fresh.name[i])
			break;
	}
	/* a cache's address may be another's later: the row is the newest one's */
	if (bpf_map_update_elem(&caches, &cache, &fresh, BPF_ANY)) {
		lost(LOSS_NAME);
		return NULL;
	}
	return bpf_map_lookup_elem(&caches, &cache);
}

#if defined(__TARGET_ARCH_x86)
/* The kernel's variables, which don't change, once they have been read. */
u64 vmemmap;
u64 linear;

/* The slab cache of an object, by its page; 0: not known. */
static __always_inline u64 cache_by_page(u64 address)
{
	u64 head = 0;

	if (!config.vmemmap_base || !config.page_offset_base)
		return 0;
	if (!vmemmap || !linear) {
		bpf_probe_read_kernel(&vmemmap, sizeof(vmemmap), (void *)config.vmemmap_base);
		bpf_probe_read_kernel(&linear, sizeof(linear), (void *)config.page_offset_base);
	}
	if (!vmemmap || !linear || address < linear || address >= vmemmap)
		return 0;
	struct page *page = (void *)vmemmap + ((address - linear) >> PAGE_SHIFT) * bpf_core_type_size(struct page);

	head = BPF_CORE_READ(page, compound_head);
	if (head & 1)
		page = (void *)(head - 1);
	if (bpf_core_type_exists(struct slab)) {
		struct slab *slab = (void *)page;

		return (u64)BPF_CORE_READ(slab, slab_cache);
	}
	return (u64)BPF_CORE_READ(page, slab_cache);
}
#else
static __always_inline u64 cache_by_page(u64 address)
{
	return 0;
}
#endif

/* More than two pages are no slab object's (KMALLOC_MAX_CACHE_SIZE). */
#define IS_SLAB_SIZE(size) ((size) <= 2 * (u64)config.page_size)

/* ---- the ledger ------------------------------------------------------------------ */

static __always_inline void add_to_total(u64 stack, s64 bytes, s64 calls)
{
	struct kernelleak_total *total = bpf_map_lookup_elem(&totals, &stack);

	if (!total) {
		struct kernelleak_total none = {};

		bpf_map_update_elem(&totals, &stack, &none, BPF_NOEXIST);
		total = bpf_map_lookup_elem(&totals, &stack);
		if (!total) {
			lost(LOSS_MAP_FULL);
			return;
		}
	}
	__atomic_fetch_add(&total->bytes, bytes, __ATOMIC_RELAXED);
	__atomic_fetch_add(&total->count, calls, __ATOMIC_RELAXED);
}

/* Takes a block out; false where it was not recorded. */
static __always_inline bool take(u64 address, u64 *size)
{
	if (!config.totals && !config.trace)
		return bpf_map_delete_elem(&blocks, &address) == 0;

	struct kernelleak_block *block = bpf_map_lookup_elem(&blocks, &address);

	if (!block)
		return false;
	struct kernelleak_block old = *block;

	if (bpf_map_delete_elem(&blocks, &address))
		return false;
	*size = old.size;
	if (config.totals)
		add_to_total(old.stack, -(s64)old.size * old.weight, -(s64)old.weight);
	return true;
}

static __always_inline void freed_unseen(u64 address, u64 cache)
{
	u64 size = 0;

	if (!take(address, &size))
		return;
	COUNT(unseen_frees);
	struct kernelleak_cache *row = cache ? cache_row(cache) : NULL;

	if (row)
		__atomic_fetch_add(&row->unseen, 1, __ATOMIC_RELAXED);
}

static __always_inline bool put(u64 address, const struct kernelleak_block *block, u64 cache)
{
	long error = bpf_map_update_elem(&blocks, &address, block, BPF_NOEXIST);

	if (error == -17 /* EEXIST */) {
		freed_unseen(address, cache);
		error = bpf_map_update_elem(&blocks, &address, block, BPF_ANY);
	}
	if (error) {
		lost(LOSS_MAP_FULL);
		return false;
	}
	if (config.totals)
		add_to_total(block->stack, (s64)block->size * block->weight, block->weight);
	return true;
}

/* Do pages with this stack hold the slab allocator's objects, which count themselves? */
static __always_inline bool is_slabs_own(const struct kstack_record *record)
{
	for (u32 frame = 1; frame < 14; frame++) {
		u64 address = record->frames[frame];

		if (frame >= record->count)
			break;
		for (u32 i = 0; i < KERNELLEAK_CODE; i++)
			if (address >= config.slab[i].first && address < config.slab[i].end)
				return true;
	}
	return false;
}

/*
 * Keeps a stack. Returns its hash, 0 where there is no room for it; `left_out` is
 * set where its memory is not to be recorded.
 */
static __always_inline u64 keep(u64 hash, struct kstack_record *record, bool *left_out)
{
	struct kstack_record *known = bpf_map_lookup_elem(&stacks, &hash);

	if (known) {
		*left_out = known->flags & KSTACK_SLAB_PAGES;
		return hash;
	}
	if (record->kind == KERNELLEAK_PAGES && is_slabs_own(record)) {
		record->flags |= KSTACK_SLAB_PAGES;
		*left_out = true;
	}
	/* another CPU may be first with the same stack: as good */
	long error = bpf_map_update_elem(&stacks, &hash, record, BPF_NOEXIST);

	if (error == 0) {
		COUNT(stacks);
		if (record->flags & KSTACK_CUT)
			COUNT(cut_stacks);
		if (record->cache)
			cache_row(record->cache);
	}
	return error == 0 || error == -17 /* EEXIST */ ? hash : 0;
}

static __always_inline int allocated(void *ctx, u32 program, u32 kind, u64 address, u64 size, u64 cache)
{
	u32 zero = 0, weight = 1;
	bool left_out = false;

	if (!IS_MEMORY(address)) {
		if (!address)
			COUNT(failed);
		return 0;
	}
	/* of interrupts in our time too, whose frees then match nothing */
	if (current_pid() == config.own_pid)
		return 0;
	if (config.by_cache) {
		struct kernelleak_cache *row = cache ? cache_row(cache) : NULL;

		if (!row || !row->wanted) {
			COUNT(filtered_out);
			return 0;
		}
	}
	if (size < config.min_size || size > config.max_size) {
		COUNT(filtered_out);
		goto passed_over;
	}
	if (config.sampled) {
		struct kernelleak_sampling *now = bpf_map_lookup_elem(&sampling, &zero);

		if (now && now->threshold) {
			if (bpf_get_prandom_u32() >= now->threshold) {
				COUNT(sampled_out);
				goto passed_over;
			}
			weight = now->weight;
		}
	}

	struct scratch *scratch = bpf_map_lookup_elem(&scratches, &program);

	if (!scratch)
		return 0;
	if (scratch->busy) {
		lost(LOSS_SKIPPED);
		goto passed_over;
	}
	scratch->busy = 1;
	scratch->record.kind = kind;
	scratch->record.cache = cache;

	u64 stack = kstack_capture(ctx, &scratch->record);

	if (stack)
		stack = keep(stack, &scratch->record, &left_out);
	if (!stack)
		lost(LOSS_NO_STACK);
	scratch->busy = 0;
	if (left_out)
		goto passed_over;

	struct kernelleak_block block = {
		.size = size,
		.weight = weight,
		.time_ns = bpf_ktime_get_ns(),
		.stack = stack,
	};
	bool recorded = put(address, &block, cache);

	if (recorded)
		COUNT(allocations);
	if (config.trace)
		tell(MEMLEAK_SIZE, address, size, recorded);
	return 0;

passed_over:
	if (config.unseen_frees)
		freed_unseen(address, cache);
	return 0;
}

static __always_inline int freed(u32 which, u64 address)
{
	u64 size = 0;

	if (!IS_MEMORY(address)) {
		COUNT(null_frees);
		return 0;
	}
	bool known = take(address, &size);

	if (known)
		COUNT(frees);
	else if (current_pid() != config.own_pid)
		COUNT(unmatched_frees);
	if (config.trace && known)
		tell(MEMLEAK_FREE, address, size, known);

	u64 *seen = bpf_map_lookup_elem(&seen_frees, &which);

	if (seen)
		*seen = address;
	return 0;
}

/*
 * Runs behind the first program, before the memory is really free: taking it out
 * once more, where an interrupt came between the two, finds nothing.
 */
static __always_inline int freed_second(u32 which, u64 address)
{
	u64 *seen = bpf_map_lookup_elem(&seen_frees, &which);
	u64 size = 0;

	if (!seen || !IS_MEMORY(address))
		return 0;
	if (*seen == address) {
		*seen = 0;
		return 0;
	}
	if (!take(address, &size))
		return 0;
	COUNT(frees);
	COUNT(rescued_frees);
	if (config.trace)
		tell(MEMLEAK_FREE, address, size, true);
	return 0;
}

/* ---- slab: arguments as plain words ------------------------------------------------ */

#define ARG(n) (ctx->args[n])

/* (call_site, ptr, bytes_req, bytes_alloc, gfp_flags[, node]): from 5.19 to 6.0 otherwise */
SEC("raw_tp/kmalloc")
int kmalloc_rawtp(struct bpf_raw_tracepoint_args *ctx)
{
	u64 address = ARG(1), size = ARG(3);

	return allocated(ctx, KERNELLEAK_BY_KMALLOC, KERNELLEAK_KMALLOC, address, size,
			 IS_MEMORY(address) && IS_SLAB_SIZE(size) ? cache_by_page(address) : 0);
}

SEC("raw_tp/kmalloc_node")
int kmalloc_node_rawtp(struct bpf_raw_tracepoint_args *ctx)
{
	u64 address = ARG(1), size = ARG(3);

	return allocated(ctx, KERNELLEAK_BY_KMALLOC_NODE, KERNELLEAK_KMALLOC, address, size,
			 IS_MEMORY(address) && IS_SLAB_SIZE(size) ? cache_by_page(address) : 0);
}

/* (call_site, ptr, cache, gfp_flags, node) */
SEC("raw_tp/kmem_cache_alloc")
int cache_alloc_rawtp(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmem_cache *cache = (void *)ARG(2);

	return allocated(ctx, KERNELLEAK_BY_CACHE, KERNELLEAK_CACHE, ARG(1), BPF_CORE_READ(cache, object_size),
			 (u64)cache);
}

/* until 5.18: (call_site, ptr, bytes_req, bytes_alloc, gfp_flags[, node]) */
SEC("raw_tp/kmem_cache_alloc")
int cache_alloc_sizes_rawtp(struct bpf_raw_tracepoint_args *ctx)
{
	u64 address = ARG(1);

	return allocated(ctx, KERNELLEAK_BY_CACHE, KERNELLEAK_CACHE, address, ARG(2),
			 IS_MEMORY(address) ? cache_by_page(address) : 0);
}

SEC("raw_tp/kmem_cache_alloc_node")
int cache_alloc_node_rawtp(struct bpf_raw_tracepoint_args *ctx)
{
	u64 address = ARG(1);

	return allocated(ctx, KERNELLEAK_BY_CACHE_NODE, KERNELLEAK_CACHE, address, ARG(2),
			 IS_MEMORY(address) ? cache_by_page(address) : 0);
}

SEC("raw_tp/kfree")
int kfree_rawtp(struct bpf_raw_tracepoint_args *ctx)
{
	return freed(KERNELLEAK_KFREE, ARG(1));
}

SEC("raw_tp/kfree")
int kfree_second_rawtp(struct bpf_raw_tracepoint_args *ctx)
{
	return freed_second(KERNELLEAK_KFREE, ARG(1));
}

SEC("raw_tp/kmem_cache_free")
int cache_free_rawtp(struct bpf_raw_tracepoint_args *ctx)
{
	return freed(KERNELLEAK_CACHE_FREE, ARG(1));
}

SEC("raw_tp/kmem_cache_free")
int cache_free_second_rawtp(struct bpf_raw_tracepoint_args *ctx)
{
	return freed_second(KERNELLEAK_CACHE_FREE, ARG(1));
}

/* ---- slab: with the kernel's own word for an object's cache (6.13) ------------------ */

SEC("tp_btf/kmalloc")
int kmalloc_btf(u64 *ctx)
{
	u64 address = ctx[1], size = ctx[3], cache = 0;

	if (bpf_get_kmem_cache && IS_MEMORY(address) && IS_SLAB_SIZE(size)) {
		struct kmem_cache *there = bpf_get_kmem_cache(address);

		/* the verifier does not let a pointer be used as a number; a copy of one may be */
		bpf_probe_read_kernel(&cache, sizeof(cache), &there);
	}
	return allocated(ctx, KERNELLEAK_BY_KMALLOC, KERNELLEAK_KMALLOC, address, size, cache);
}

/* ---- pages ---------------------------------------------------------------------------- */

/* (page, order, gfp_flags, migratetype) */
SEC("raw_tp/mm_page_alloc")
int page_alloc_rawtp(struct bpf_raw_tracepoint_args *ctx)
{
	u64 order = (u32)ARG(1) & 31;

	return allocated(ctx, KERNELLEAK_BY_PAGES, KERNELLEAK_PAGES, ARG(0), (u64)config.page_size << order, 0);
}

/* (page, order) */
SEC("raw_tp/mm_page_free")
int page_free_rawtp(struct bpf_raw_tracepoint_args *ctx)
{
	return freed(KERNELLEAK_PAGE_FREE, ARG(0));
}

SEC("raw_tp/mm_page_free")
int page_free_second_rawtp(struct bpf_raw_tracepoint_args *ctx)
{
	return freed_second(KERNELLEAK_PAGE_FREE, ARG(0));
}

/* ---- per-CPU memory: every CPU has a copy ------------------------------------------- */

/* (call_site, reserved, is_atomic, size, align, base_addr, off, ptr, …) */
SEC("raw_tp/percpu_alloc_percpu")
int percpu_alloc_rawtp(struct bpf_raw_tracepoint_args *ctx)
{
	return allocated(ctx, KERNELLEAK_BY_PERCPU, KERNELLEAK_PERCPU, ARG(7), (u64)ARG(3) * config.cpus, 0);
}

/* until 5.18: (reserved, is_atomic, size, align, base_addr, off, ptr) */
SEC("raw_tp/percpu_alloc_percpu")
int percpu_alloc_sizes_rawtp(struct bpf_raw_tracepoint_args *ctx)
{
	return allocated(ctx, KERNELLEAK_BY_PERCPU, KERNELLEAK_PERCPU, ARG(6), (u64)ARG(2) * config.cpus, 0);
}

/* (base_addr, off, ptr) */
SEC("raw_tp/percpu_free_percpu")
int percpu_free_rawtp(struct bpf_raw_tracepoint_args *ctx)
{
	return freed(KERNELLEAK_PERCPU_FREE, ARG(2));
}

SEC("raw_tp/percpu_free_percpu")
int percpu_free_second_rawtp(struct bpf_raw_tracepoint_args *ctx)
{
	return freed_second(KERNELLEAK_PERCPU_FREE, ARG(2));
}

/* ---- frees that pass no tracepoint ---------------------------------------------------- */

/* kvfree_rcu() gives 507 at once (KVFREE_BULK_MAX_ENTR), others less. */
#define BULK_MAX 512

static __always_inline int freed_in_bulk(u64 count, u64 objects)
{
	for (u32 i = 0; i < BULK_MAX; i++) {
		u64 address = 0, size = 0;

		if (i >= count)
			return 0;
		if (bpf_probe_read_kernel(&address, sizeof(address), (void *)(objects + 8 * i))) {
			lost(LOSS_UNREADABLE);
			return 0;
		}
		if (!take(address, &size))
			continue;
		COUNT(frees);
		COUNT(bulk_frees);
		if (config.trace)
			tell(MEMLEAK_FREE, address, size, true);
	}
	if (count > BULK_MAX)
		lost(LOSS_SKIPPED);
	return 0;
}

/* void kmem_cache_free_bulk(struct kmem_cache *s, size_t size, void **p) */
SEC("fentry/kmem_cache_free_bulk")
int free_bulk_fentry(u64 *ctx)
{
	u64 args[3] = {};

	/* until 6.12 a pointer to a pointer may not be read from the context itself */
	bpf_probe_read_kernel(args, sizeof(args), ctx);
	return freed_in_bulk(args[1], args[2]);
}

SEC("kprobe/kmem_cache_free_bulk")
int free_bulk_kprobe(struct pt_regs *ctx)
{
	return freed_in_bulk(PT_REGS_PARM2(ctx), PT_REGS_PARM3(ctx));
}

static __always_inline int freed_by_rcu(u64 address)
{
	u64 size = 0;

	if (!IS_MEMORY(address) || !take(address, &size))
		return 0;
	COUNT(frees);
	COUNT(rcu_frees);
	if (config.trace)
		tell(MEMLEAK_FREE, address, size, true);
	return 0;
}

/* void kvfree_call_rcu(struct rcu_head *head, void *ptr), as it is since 6.3 */
SEC("fentry/kvfree_call_rcu")
int free_rcu_fentry(u64 *ctx)
{
	u64 args[2] = {};

	bpf_probe_read_kernel(args, sizeof(args), ctx);
	return freed_by_rcu(args[1]);
}

SEC("kprobe/kvfree_call_rcu")
int free_rcu_kprobe(struct pt_regs *ctx)
{
	return freed_by_rcu(PT_REGS_PARM2(ctx));
}
