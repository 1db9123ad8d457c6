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
 * Nothing here may allocate: the programs run in the allocator. state.h has the maps,
 * allocation.h and free.h what is done on an event, and why two programs stand on each free.
 */
#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "kernelleak/allocation.h"
#include "kernelleak/free.h"
#include "lib/unpreempted.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* since 6.13, a992d7a3979120fbd7c13435d27b3da8d9ed095a */
extern struct kmem_cache *bpf_get_kmem_cache(u64 addr) __ksym __weak;

/* ---- slab: arguments as plain words ---- */

/* (call_site, ptr, bytes_req, bytes_alloc, gfp_flags[, node]): from 5.19 to 6.0 otherwise */
SEC("raw_tp/kmalloc")
int UNPREEMPTED(kmalloc_rawtp)
{
	u64 address = ctx[1], size = ctx[3];

	return allocated(ctx, KERNELLEAK_BY_KMALLOC, KERNELLEAK_KMALLOC, address, size,
			 cache_of_kmalloc(address, size));
}

SEC("raw_tp/kmalloc_node")
int UNPREEMPTED(kmalloc_node_rawtp)
{
	u64 address = ctx[1], size = ctx[3];

	return allocated(ctx, KERNELLEAK_BY_KMALLOC_NODE, KERNELLEAK_KMALLOC, address, size,
			 cache_of_kmalloc(address, size));
}

/* (call_site, ptr, cache, gfp_flags, node) */
SEC("raw_tp/kmem_cache_alloc")
int UNPREEMPTED(cache_alloc_rawtp)
{
	struct kmem_cache *cache = (void *)ctx[2];

	return allocated(ctx, KERNELLEAK_BY_CACHE, KERNELLEAK_CACHE, ctx[1], BPF_CORE_READ(cache, object_size),
			 (u64)cache);
}

/* until 5.18: (call_site, ptr, bytes_req, bytes_alloc, gfp_flags[, node]) */
SEC("raw_tp/kmem_cache_alloc")
int UNPREEMPTED(cache_alloc_sizes_rawtp)
{
	u64 address = ctx[1];

	return allocated(ctx, KERNELLEAK_BY_CACHE, KERNELLEAK_CACHE, address, ctx[2],
			 IS_MEMORY(address) ? cache_by_page(address) : 0);
}

SEC("raw_tp/kmem_cache_alloc_node")
int UNPREEMPTED(cache_alloc_node_rawtp)
{
	u64 address = ctx[1];

	return allocated(ctx, KERNELLEAK_BY_CACHE_NODE, KERNELLEAK_CACHE, address, ctx[2],
			 IS_MEMORY(address) ? cache_by_page(address) : 0);
}

SEC("raw_tp/kfree")
int UNPREEMPTED(kfree_rawtp)
{
	return freed(KERNELLEAK_KFREE, ctx[1]);
}

SEC("raw_tp/kfree")
int UNPREEMPTED(kfree_second_rawtp)
{
	return freed_second(KERNELLEAK_KFREE, ctx[1]);
}

SEC("raw_tp/kmem_cache_free")
int UNPREEMPTED(cache_free_rawtp)
{
	return freed(KERNELLEAK_CACHE_FREE, ctx[1]);
}

SEC("raw_tp/kmem_cache_free")
int UNPREEMPTED(cache_free_second_rawtp)
{
	return freed_second(KERNELLEAK_CACHE_FREE, ctx[1]);
}

/* ---- slab: the kernel says an object's cache (6.13) ---- */

SEC("tp_btf/kmalloc")
int UNPREEMPTED(kmalloc_btf)
{
	u64 address = ctx[1], size = ctx[3], cache = 0;

	if (bpf_get_kmem_cache && IS_MEMORY(address) && IS_SLAB_SIZE(size)) {
		struct kmem_cache *there = bpf_get_kmem_cache(address);

		/* the verifier does not let a pointer be used as a number; a copy of one may be */
		bpf_probe_read_kernel(&cache, sizeof(cache), &there);
	}
	return allocated(ctx, KERNELLEAK_BY_KMALLOC, KERNELLEAK_KMALLOC, address, size, cache);
}

/* ---- pages ---- */

/* (page, order, gfp_flags, migratetype) */
SEC("raw_tp/mm_page_alloc")
int UNPREEMPTED(page_alloc_rawtp)
{
	u64 order = (u32)ctx[1] & 31;

	return allocated(ctx, KERNELLEAK_BY_PAGES, KERNELLEAK_PAGES, ctx[0], PAGE_SIZE << order, 0);
}

/* (page, order) */
SEC("raw_tp/mm_page_free")
int UNPREEMPTED(page_free_rawtp)
{
	return freed(KERNELLEAK_PAGE_FREE, ctx[0]);
}

SEC("raw_tp/mm_page_free")
int UNPREEMPTED(page_free_second_rawtp)
{
	return freed_second(KERNELLEAK_PAGE_FREE, ctx[0]);
}

/* ---- per-CPU memory: every CPU has a copy ---- */

/* (call_site, reserved, is_atomic, size, align, base_addr, off, ptr, …) */
SEC("raw_tp/percpu_alloc_percpu")
int UNPREEMPTED(percpu_alloc_rawtp)
{
	return allocated(ctx, KERNELLEAK_BY_PERCPU, KERNELLEAK_PERCPU, ctx[7], (u64)ctx[3] * config.cpus, 0);
}

/* until 5.18: (reserved, is_atomic, size, align, base_addr, off, ptr) */
SEC("raw_tp/percpu_alloc_percpu")
int UNPREEMPTED(percpu_alloc_sizes_rawtp)
{
	return allocated(ctx, KERNELLEAK_BY_PERCPU, KERNELLEAK_PERCPU, ctx[6], (u64)ctx[2] * config.cpus, 0);
}

/* (base_addr, off, ptr) */
SEC("raw_tp/percpu_free_percpu")
int UNPREEMPTED(percpu_free_rawtp)
{
	return freed(KERNELLEAK_PERCPU_FREE, ctx[2]);
}

SEC("raw_tp/percpu_free_percpu")
int UNPREEMPTED(percpu_free_second_rawtp)
{
	return freed_second(KERNELLEAK_PERCPU_FREE, ctx[2]);
}

/* ---- frees that pass no tracepoint ---- */

/* void kmem_cache_free_bulk(struct kmem_cache *s, size_t size, void **p) */
SEC("fentry/kmem_cache_free_bulk")
int UNPREEMPTED(free_bulk_fentry)
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

/* void kvfree_call_rcu(struct rcu_head *head, void *ptr), as it is since 6.3 */
SEC("fentry/kvfree_call_rcu")
int UNPREEMPTED(free_rcu_fentry)
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
