/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Sites: how many pages a stack made resident, and which. A page is that stack's which faulted it in last. */
#ifndef SWIFTMEM_GROWTH_SITES_H
#define SWIFTMEM_GROWTH_SITES_H

#include "growth/state.h"
#include "lib/page.h"
#include "lib/stack.h"
#include "unwind/process.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct growth_site_key);
	__type(value, struct growth_site);
} sites SEC(".maps");

/* The site of each page. A page takes four bytes, and as many of the hash table's own. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4 << 20);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct growth_chunk_key);
	__type(value, struct growth_chunk);
} chunks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} last_id SEC(".maps");

static const struct growth_chunk no_chunk;
static const struct growth_site no_site;

/* The thread's user stack, which is put into the stack table; 0 where there is none. */
static __always_inline u64 capture(struct thread *thread, struct pt_regs *regs)
{
	struct stack_state *state = &thread->captured;
	u64 ip = PT_REGS_IP(regs), stack = 0;
	bool is_new = false;

	if (stack_config.mode == STACK_FP)
		stack = stack_walk(regs, state, ip);
	else if (IS_USER_TEXT(ip))
#if defined(__TARGET_ARCH_x86)
		stack = stack_unwind_at(ip, PT_REGS_SP(regs), PT_REGS_FP(regs), 0);
#else
		stack = stack_unwind_at(ip, PT_REGS_SP(regs), PT_REGS_FP(regs), PT_REGS_RET(regs));
#endif
	if (!stack) {
		lost(LOSS_NO_STACK);
		return 0;
	}
	if (unwind_wants(state))
		send_change(PROCESS_UNMAPPED, bpf_get_current_pid_tgid() >> 32, 0, 0);
	if (stack == thread->kept)
		return stack;
	if (!stack_keep(stack, &state->record, &is_new)) {
		lost(LOSS_NO_STACK);
		return 0;
	}
	thread->kept = stack;
	if (is_new) {
		u32 zero = 0;
		struct growth_counters *count = bpf_map_lookup_elem(&counters, &zero);

		if (count)
			__atomic_fetch_add(&count->stacks, 1, __ATOMIC_RELAXED);
	}
	return stack;
}

static __always_inline struct growth_site *site_of(const struct growth_site_key *key)
{
	struct growth_site *site = bpf_map_lookup_elem(&sites, key);
	u32 zero = 0;

	if (site)
		return site;
	if (bpf_map_update_elem(&sites, key, &no_site, BPF_NOEXIST) == -E2BIG)
		return NULL;
	site = bpf_map_lookup_elem(&sites, key);
	u32 *last = bpf_map_lookup_elem(&last_id, &zero);

	/* two threads may be here at once: the id of the first one stays */
	if (site && last && !site->id)
		__sync_val_compare_and_swap(&site->id, 0, __sync_fetch_and_add(last, 1) + 1);
	return site;
}

/* Consecutive pages of one chunk, some or all of which get the id of a site. */
struct window {
	struct growth_chunk *chunk;
	u32 start;
	u32 left;
	u32 id;
	u32 any; /* pages too that have an id */
};

static long note_page(u32 i, struct window *window)
{
	u32 *slot = &window->chunk->ids[(window->start + i) & (GROWTH_CHUNK - 1)];

	if (!window->left)
		return 1;
	if (window->any || !*slot) {
		*slot = window->id;
		window->left--;
	}
	return 0;
}

/*
 * Gives the id of a site to `left` pages of a window: to all, or, where `left` is less than the window, to pages
 * without an id before others. Returns how many were given it.
 */
__noinline u64 note_window(u64 owner, u64 first, u32 pages, u32 left, u32 id)
{
	struct growth_chunk_key key = { .number = first / GROWTH_CHUNK, .pid = (u32)owner, .serial = owner >> 32 };
	struct window window = { .start = first, .left = left, .id = id, .any = left == pages };

	window.chunk = bpf_map_lookup_elem(&chunks, &key);
	if (!window.chunk) {
		bpf_map_update_elem(&chunks, &key, &no_chunk, BPF_NOEXIST);
		window.chunk = bpf_map_lookup_elem(&chunks, &key);
		if (!window.chunk)
			return 0;
	}
	if (pages == 1) {
		window.chunk->ids[first & (GROWTH_CHUNK - 1)] = id;
		return 1;
	}
	bpf_loop(pages, note_page, &window, 0);
	window.any = 1;
	bpf_loop(pages, note_page, &window, 0);
	return left;
}

/* Pages that the kernel maps around a fault in a file (fault_around_bytes, its default). */
#define AROUND (PAGE_SHIFT < 16 ? 65536ULL >> PAGE_SHIFT : 1)

/* Chunks of pages that mremap() moves: they wait under another serial until user space knows the new address. */
struct parking {
	u64 first;
	u32 pid, from, to;
};

static long park_chunk(u32 i, struct parking *parking)
{
	struct growth_chunk_key key = { .number = parking->first + i, .pid = parking->pid, .serial = parking->from };
	struct growth_chunk_key parked = key;
	struct growth_chunk *chunk = bpf_map_lookup_elem(&chunks, &key);

	if (!chunk)
		return 0;
	parked.serial = parking->to;
	if (bpf_map_update_elem(&chunks, &parked, chunk, BPF_ANY))
		lost(LOSS_MAP_FULL);
	bpf_map_delete_elem(&chunks, &key);
	return 0;
}

/* Consecutive chunks that get the id of one site. */
struct range {
	u64 owner, page;
	u32 id;
};

static long note_chunk(u32 i, struct range *range)
{
	note_window(range->owner, range->page + (u64)i * GROWTH_CHUNK, GROWTH_CHUNK, GROWTH_CHUNK, range->id);
	return 0;
}

/*
 * Gives the pages of a fault the id of its site. One page is the one at the address; several are the aligned range
 * around it, for so the kernel maps large folios, and the neighbours of a page of a file. Returns how many were
 * given it.
 */
__noinline u64 note_pages(u64 owner, u64 address, u64 pages, u32 kind, u32 id)
{
	u64 page = address >> PAGE_SHIFT, window = pages;

	if (pages > 1) {
		if (kind != GROWTH_ANONYMOUS && window < AROUND)
			window = AROUND;
		/* the next power of two */
		window--;
		window |= window >> 1;
		window |= window >> 2;
		window |= window >> 4;
		window |= window >> 8;
		window++;
	}
	if (window > 8192)
		return 0;
	page &= ~(window - 1);
	if (window <= GROWTH_CHUNK)
		return note_window(owner, page, window, pages, id);
	struct range range = { .owner = owner, .page = page, .id = id };

	bpf_loop(window / GROWTH_CHUNK, note_chunk, &range, 0);
	return pages;
}

#endif
