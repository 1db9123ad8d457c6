/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Slab caches: their names, and which one an object is of. Where the kernel does not say
 * it (bpf_get_kmem_cache(), 6.13), the object's page does, as virt_to_slab() (mm/slab.h) reads it.
 */
#ifndef SWIFTMEM_KERNELLEAK_SLAB_CACHE_H
#define SWIFTMEM_KERNELLEAK_SLAB_CACHE_H

#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/loss.h"
#include "lib/page.h"
#include "kernelleak/state.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2048);
	__type(key, u64);
	__type(value, struct kernelleak_cache);
} caches SEC(".maps");

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
#define IS_SLAB_SIZE(size) ((size) <= 2 * PAGE_SIZE)

/* The cache of what kmalloc() gave; 0: not known, or none. */
static __always_inline u64 cache_of_kmalloc(u64 address, u64 size)
{
	return IS_MEMORY(address) && IS_SLAB_SIZE(size) ? cache_by_page(address) : 0;
}

#endif
