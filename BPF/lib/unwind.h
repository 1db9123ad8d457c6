/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Walks a user stack by the tables that user space makes of call-frame information
 * (unwind_table.h has their format), and by frame pointers where code has none.
 *
 * Each step: find the mapping that holds the address, in it the row, by the row's rule
 * the caller's registers. The thread remembers the rules of places it has been at. A frame is kept only when its address lies in an executable
 * mapping and its stack lies above the one before: what is not plausible ends the walk,
 * and the record says why.
 *
 * The walk is a global function, verified once and by itself, with nothing but numbers
 * for arguments: before 5.12 nothing else could be passed to one. The tool says by
 * STACK_STATE() where the thread's state is: programs here are preempted, so it must be
 * the thread's own.
 */
#ifndef SWIFTMEM_UNWIND_H
#define SWIFTMEM_UNWIND_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "loss.h"
#include "stack_record.h"
#include "unwind_table.h"

const volatile struct stack_config stack_config SEC(".rodata.stack") = {};

#define UNWIND_TABLES 4096

struct unwind_blocks {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_INNER_MAP); /* tables are of any size */
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(struct unwind_block));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, UNWIND_TABLES);
	__type(key, u32);
	__array(values, struct unwind_blocks);
} unwind_tables SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct unwind_page_key);
	__type(value, struct unwind_page);
} unwind_pages SEC(".maps");

/* Forked processes whose mappings are still another's. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, u32);
} unwind_parents SEC(".maps");

/* Processes that have code where no mapping is known, with the address: user space was told. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, u64);
} unwind_wanted SEC(".maps");

/* Changes with every reading of any process's mappings: what threads remember of them is void then. Never 0. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} unwind_generation SEC(".maps");

/* No frame reaches further than this from one to the next. */
#define FRAME_LIMIT (16 << 20)
/* User addresses of both architectures are below; so is no null page. */
#define IS_USER_TEXT(address) ((address) >= 4096 && (address) < (1ULL << 56))

static __always_inline u64 stack_mix(u64 hash, u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ (hash >> 29);
}

#define STACK_SEED 0x736d656d

#if defined(__TARGET_ARCH_x86)
#define CALL_TAKES 8
#else
#define CALL_TAKES 0
#endif

/* Both below 2^63: 1 where `a` <= `b`. A comparison without a branch is one path to verify. */
#define AT_MOST(a, b) (((a) - (b)-1) >> 63)

/* Rules that no table has: by frame pointers; none; in no mapping known. */
enum {
	UNWIND_POINTERS = 13,
	UNWIND_OPAQUE = 14,
	UNWIND_UNMAPPED = 15,
};

/* A mask that old verifiers see: compilers would make it one of 32 bits, and they lose track of those. */
#define MASKED(index, most) \
	({ \
		u64 masked = (index); \
		asm volatile("%0 &= %1" : "+r"(masked) : "i"((most)-1)); \
		masked; \
	})

/* The mapping that may hold an address, if any does. */
static __always_inline struct unwind_mapping *unwind_mapping_in(struct unwind_page *page, u64 at)
{
	u64 index = 0;

#pragma unroll
	for (u32 step = UNWIND_PAGE_MAPPINGS / 2; step; step /= 2) {
		u64 start = page->mappings[MASKED(index + step, UNWIND_PAGE_MAPPINGS)].start;

		index += step * AT_MOST(start >> 1, at >> 1);
	}
	return &page->mappings[MASKED(index, UNWIND_PAGE_MAPPINGS)];
}

static __always_inline struct unwind_page *unwind_page_of(struct unwind_page *first, u32 pid, u64 at)
{
	u64 index = 0;

	if (first->pages <= 1)
		return first;
#pragma unroll
	for (u32 step = UNWIND_PAGES / 2; step; step /= 2) {
		u64 start = first->firsts[MASKED(index + step, UNWIND_PAGES)];

		index += step * AT_MOST(start >> 1, at >> 1);
	}
	if (!index)
		return first;
	struct unwind_page_key key = { .pid = pid, .page = index & (UNWIND_PAGES - 1) };
	struct unwind_page *page = bpf_map_lookup_elem(&unwind_pages, &key);

	return page && page->generation == first->generation ? page : NULL;
}

/* The rule at a place of a table's text. */
__noinline u64 unwind_rule(u32 table, u32 offset, u32 rules)
{
	void *blocks = bpf_map_lookup_elem(&unwind_tables, &table);
	u32 chunk = offset >> UNWIND_CHUNK_SHIFT, number = chunk / UNWIND_BLOCK_WORDS;
	u32 within = offset & (UNWIND_CHUNK_BYTES - 1);
	struct unwind_block *block;

	if (!blocks)
		return UNWIND_NONE;
	block = bpf_map_lookup_elem(blocks, &number);
	if (!block)
		return UNWIND_NONE;

	u32 first = block->words[MASKED(chunk, UNWIND_BLOCK_WORDS)];

	number = first / UNWIND_BLOCK_WORDS;
	block = bpf_map_lookup_elem(blocks, &number);
	if (!block)
		return UNWIND_NONE;

	u32 row = block->words[MASKED(first, UNWIND_BLOCK_WORDS)];
	u32 low = 0, high = row & 0xffff;

	for (int i = 0; i < UNWIND_CHUNK_SHIFT + 1; i++) {
		if (high - low < 2 || high > UNWIND_CHUNK_BYTES)
			break;
		u32 middle = (low + high) / 2;
		u32 word = block->words[MASKED(first + middle, UNWIND_BLOCK_WORDS)];

		if ((word & 0xffff) <= within) {
			low = middle;
			row = word;
		} else {
			high = middle;
		}
	}

	u32 rule = row >> 16;

	number = rules + rule / UNWIND_BLOCK_RULES;
	block = bpf_map_lookup_elem(blocks, &number);
	if (!block)
		return UNWIND_NONE;
	u32 *words = &block->words[MASKED(rule, UNWIND_BLOCK_RULES) * 2];

	return words[0] | (u64)words[1] << 32;
}

/* Where a walk is; what its steps come to: the flags of the record, or 0 to go on. */
struct unwind_walk {
	u64 pc, sp, fp;
	u64 start, size; /* the mapping found last */
	u32 table, offset, rules;
	u32 exact; /* pc is where the frame is, not behind a call */
	u64 hash; /* of the frames so far */
	u64 generation; /* what the mapping and `known` are of */
};

/* Places that the thread's stacks have led through, and their rules: most stacks are of those. */
#define UNWIND_KNOWN 64

struct unwind_known {
	u64 at;
	u64 rule;
};

/*
 * A thread's: the record and the walk that fills it. The walk is here and not in the
 * program's own variables so that the verifier knows nothing of it: whatever way a step
 * took, the next is the same to it. A word behind the record's frames is the walk's, so
 * that an index below 128 stays within.
 */
struct stack_state {
	struct stack_record record;
	struct unwind_walk walk;
	struct unwind_known known[UNWIND_KNOWN];
};

/*
 * Into the program's own variables, always, and of a constant size: hardened usercopy
 * looks much longer at a place in a map, and before 5.12 the verifier wants the latter.
 */
static __always_inline bool unwind_read(u64 *word, u64 address)
{
	return bpf_probe_read_user(word, sizeof(*word), (void *)address) == 0;
}

/* From a frame to its caller by the chain of frame pointers. */
static __always_inline u32 unwind_by_pointer(struct unwind_walk *walk)
{
	u64 fp = walk->fp;

	if (!fp)
		return STACK_WHOLE; /* what the ABI has at the outermost frame */
	if (fp - walk->sp > FRAME_LIMIT || (fp & 7))
		return STACK_IMPLAUSIBLE;
	u64 words[2];

	if (bpf_probe_read_user(words, sizeof(words), (void *)fp))
		return STACK_UNREADABLE;
	walk->sp = fp + sizeof(words);
	walk->fp = words[0];
	walk->pc = words[1];
	walk->exact = 0;
	return 0;
}

/* … by a rule. */
static __always_inline u32 unwind_by_rule(struct unwind_walk *walk, u64 rule)
{
	u32 kind = UNWIND_RULE_CFA(rule), saved = UNWIND_RULE_SAVED(rule);
	s64 offset = UNWIND_RULE_OFFSET(rule), saved_offset = UNWIND_RULE_SAVED_OFFSET(rule);
	u64 sp = walk->sp, fp = walk->fp;
	u64 cfa = (kind == UNWIND_FP || kind == UNWIND_FP_DEREF ? fp : sp) + offset;

	if (kind < UNWIND_SP) {
		if (kind == UNWIND_END)
			return STACK_WHOLE;
		if (kind == UNWIND_UNSUPPORTED)
			return STACK_UNSUPPORTED;
		/* start-up code written by hand: the ABI has no frame pointer there */
		return fp ? STACK_NO_RULE : STACK_WHOLE;
	}
	if (kind >= UNWIND_POINTERS) {
		if (kind == UNWIND_POINTERS)
			return unwind_by_pointer(walk);
		return kind == UNWIND_OPAQUE ? STACK_NO_RULE : STACK_NO_MAPPING;
	}
#if defined(__TARGET_ARCH_x86)
	if (kind == UNWIND_SIGNAL_FRAME) {
		/* the handler may run on a stack of its own, above or below the other */
		u64 saved_fp, saved_pc, saved_sp;

		if (!unwind_read(&saved_fp, sp + UNWIND_SIGNAL_FP) || !unwind_read(&saved_pc, sp + UNWIND_SIGNAL_PC) ||
		    !unwind_read(&saved_sp, sp + UNWIND_SIGNAL_SP))
			return STACK_UNREADABLE;
		walk->fp = saved_fp;
		walk->pc = saved_pc;
		walk->sp = saved_sp;
		walk->exact = 1;
		return 0;
	}
	if (kind == UNWIND_PLT) {
		cfa += ((walk->pc & 15) >= (u64)saved_offset) * 8;
		saved = UNWIND_SAME;
	}
#endif
	if (kind == UNWIND_FP_DEREF) {
		u64 word;

		if (!unwind_read(&word, cfa))
			return STACK_UNREADABLE;
		cfa = word;
	}
	/* a frame takes room (but arm64's leaf may take none), and not without end */
	if (cfa - sp - CALL_TAKES >= FRAME_LIMIT || (cfa & 7))
		return STACK_IMPLAUSIBLE;
#if defined(__TARGET_ARCH_x86)
	u64 words[6];

	if (saved == UNWIND_SAME) {
		if (!unwind_read(words, cfa - 8))
			return STACK_UNREADABLE;
		walk->pc = words[0];
	} else if (saved == UNWIND_AT_CFA && saved_offset == -16) {
		if (bpf_probe_read_user(words, 16, (void *)(cfa - 16)))
			return STACK_UNREADABLE;
		walk->fp = words[0];
		walk->pc = words[1];
	} else if (saved == UNWIND_AT_CFA && saved_offset >= -48 && saved_offset < -16 && !(saved_offset & 7) &&
		   !bpf_probe_read_user(words, 48, (void *)(cfa - 48))) {
		/* both at once, with what is between them */
		walk->pc = words[5];
		walk->fp = saved_offset == -24	 ? words[3]
			   : saved_offset == -32 ? words[2]
			   : saved_offset == -40 ? words[1]
			   : saved_offset == -48 ? words[0]
						 : 0;
	} else {
		if (!unwind_read(words, cfa - 8) ||
		    !unwind_read(words + 1, (saved == UNWIND_AT_FP ? fp : cfa) + saved_offset))
			return STACK_UNREADABLE;
		walk->pc = words[0];
		walk->fp = words[1];
	}
#else
	u64 words[2];

	if (saved == UNWIND_AT_CFA) {
		if (bpf_probe_read_user(words, sizeof(words), (void *)(cfa + saved_offset)))
			return STACK_UNREADABLE;
		walk->fp = words[0];
		walk->pc = words[1];
	} else if (saved == UNWIND_RA_ONLY) {
		if (!unwind_read(words, cfa + saved_offset))
			return STACK_UNREADABLE;
		walk->pc = words[0];
	} else {
		/* the return address is in a register that only the innermost frame has */
		return STACK_UNSUPPORTED;
	}
	/* pointer authentication signs the bits that addresses don't have */
	walk->pc &= (1ULL << 48) - 1;
#endif
	walk->sp = cfa;
	walk->exact = 0;
	return 0;
}

/* Finds the mapping that holds an address. */
static __always_inline bool unwind_enter(struct unwind_walk *walk, u64 at)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	u32 *parent = bpf_map_lookup_elem(&unwind_parents, &pid);

	if (parent)
		pid = *parent;
	struct unwind_page_key key = { .pid = pid };
	struct unwind_page *first = bpf_map_lookup_elem(&unwind_pages, &key);
	struct unwind_page *page = first ? unwind_page_of(first, pid, at) : NULL;

	walk->size = 0;
	if (!page)
		return false;
	struct unwind_mapping *mapping = unwind_mapping_in(page, at);
	u64 start = mapping->start, size = mapping->end - start;

	walk->start = start;
	walk->table = mapping->table;
	walk->offset = mapping->offset;
	walk->rules = mapping->rules;
	/* an entry that is replaced may be another's at once */
	if (at - start >= size || page->pid != pid)
		return false;
	walk->size = size;
	return true;
}

#define UNWIND_PLACE(at) MASKED((at)*0x9e3779b97f4a7c15ULL >> 48, UNWIND_KNOWN)

/* The rule at an address that the thread has not known until now. */
__noinline u64 unwind_find(u64 at)
{
	struct stack_state *state = STACK_STATE();

	if (!state)
		return UNWIND_UNMAPPED;
	struct unwind_walk *walk = &state->walk;
	u64 rule = UNWIND_OPAQUE;

	if (at - walk->start >= walk->size && !unwind_enter(walk, at))
		return UNWIND_UNMAPPED;
	if (walk->table && walk->table != UNWIND_NO_CODE)
		rule = unwind_rule(walk->table, walk->offset + (u32)(at - walk->start), walk->rules);
	else if (!walk->table && stack_config.mode == STACK_AUTO)
		rule = UNWIND_POINTERS;
	struct unwind_known *known = &state->known[UNWIND_PLACE(at)];

	known->at = at;
	known->rule = rule;
	return rule;
}

/* Causes by the flag of a record. */
static __always_inline void unwind_lost(u32 flags)
{
	if (flags & STACK_CUT)
		lost(LOSS_STACK_CUT);
	else if (flags & STACK_NO_MAPPING)
		lost(LOSS_STACK_NO_MAPPING);
	else if (flags & STACK_NO_RULE)
		lost(LOSS_STACK_NO_RULE);
	else if (flags & STACK_UNSUPPORTED)
		lost(LOSS_STACK_UNSUPPORTED);
	else if (flags & STACK_UNREADABLE)
		lost(LOSS_STACK_UNREADABLE);
	else if (flags & STACK_IMPLAUSIBLE)
		lost(LOSS_STACK_IMPLAUSIBLE);
}

/*
 * Frames of one call of unwind_frames. A loop of all of them, though bounded, is 900 000
 * instructions of work for a verifier that forgets in one round what it knows of another.
 */
#define UNWIND_FRAMES 8

/*
 * Goes on by some frames, of which `from` are in the record. Returns 0, or the flags of
 * the record when it has ended.
 */
__noinline int unwind_frames(u32 from)
{
	struct stack_state *state = STACK_STATE();

	if (!state)
		return STACK_NO_MAPPING;
	struct unwind_walk *walk = &state->walk;

#pragma unroll
	for (u32 i = 0; i < UNWIND_FRAMES; i++) {
		u64 pc = walk->pc, at = pc - !walk->exact;

		if (!pc)
			return STACK_WHOLE; /* where threads of other C libraries begin */
		struct unwind_known *known = &state->known[UNWIND_PLACE(at)];
		u64 rule = known->at == at ? known->rule : unwind_find(at);

		if (UNWIND_RULE_CFA(rule) == UNWIND_UNMAPPED)
			return STACK_NO_MAPPING;
		if (from + i >= STACK_FRAMES)
			return STACK_CUT;
		/* an address in known code: a frame; the caller is there already */
		if (from + i) {
			state->record.frames[MASKED(from + i, 128)] = pc;
			walk->hash = stack_mix(walk->hash, pc);
			state->record.count = from + i + 1;
		}
		u32 end = unwind_by_rule(walk, rule);

		if (end)
			return end;
	}
	return 0;
}

/*
 * Walks from a caller, whose stack and frame pointers are given, into the thread's
 * record. Returns the stack's hash, 0 for none.
 */
__noinline u64 stack_unwind(u64 caller, u64 sp, u64 fp)
{
	struct stack_state *state = STACK_STATE();
	u32 zero = 0;
	u64 *generation = bpf_map_lookup_elem(&unwind_generation, &zero);
	int flags = 0;

	if (!state || !generation)
		return 0;
	/* read before anything that it speaks of */
	u64 now = *(volatile u64 *)generation;

	if (state->walk.generation != now) {
		for (u32 i = 0; i < UNWIND_KNOWN; i++) {
			state->known[i].at = 0;
			state->known[i].rule = UNWIND_UNMAPPED;
		}
		state->walk.size = 0;
		state->walk.generation = now;
	}
	state->walk.pc = caller;
	state->walk.sp = sp;
	state->walk.fp = fp;
	state->walk.exact = 0;
	state->walk.hash = stack_mix(STACK_SEED, caller);
	state->record.frames[0] = caller;
	state->record.count = 1;
	for (u32 from = 0; from <= STACK_FRAMES && !flags; from += UNWIND_FRAMES)
		flags = unwind_frames(from);
	state->record.flags = flags;
	unwind_lost(flags);
	return state->walk.hash ? state->walk.hash : 1;
}

/* ---- processes ------------------------------------------------------------------ */

/* A child has its parent's mappings until user space has read its own. */
static __always_inline void unwind_forked(u32 parent, u32 child)
{
	if (stack_config.mode == STACK_FP)
		return;
	u32 *owner = bpf_map_lookup_elem(&unwind_parents, &parent);
	u32 pid = owner ? *owner : parent;

	if (bpf_map_update_elem(&unwind_parents, &child, &pid, BPF_ANY))
		lost(LOSS_MAP_FULL);
}

/* Nothing known of a process's mappings is true any more. `state`: its only thread's, if it has one. */
static __always_inline void unwind_execed(u32 pid, struct stack_state *state)
{
	if (stack_config.mode == STACK_FP)
		return;
	struct unwind_page_key key = { .pid = pid };

	bpf_map_delete_elem(&unwind_parents, &pid);
	bpf_map_delete_elem(&unwind_pages, &key);
	if (state)
		state->walk.generation = 0;
}

/* Is user space to be told that this thread's process has code it does not know of? */
static __always_inline bool unwind_wants(const struct stack_state *state)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	u64 pc = state->walk.pc;

	if (stack_config.mode == STACK_FP || !(state->record.flags & STACK_NO_MAPPING))
		return false;
	return bpf_map_update_elem(&unwind_wanted, &pid, &pc, BPF_NOEXIST) == 0;
}

#endif
