/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Walks a user stack by the tables that user space makes of call-frame information, and
 * by frame pointers where code has none.
 *
 * Each step: find the mapping that holds the address (mapping.h), in its table the rule
 * (table.h), by the rule the caller's registers (step.h). The thread remembers the rules of
 * places it has been at. A frame is kept only when its address lies in an executable
 * mapping and its stack lies above the one before: what is not plausible ends the walk,
 * and the record says why.
 *
 * The walk is a global function, verified once and by itself, with nothing but numbers
 * for arguments: before 5.12 nothing else could be passed to one. The tool says by
 * STACK_STATE() where the thread's state is: programs here are preempted, so it must be
 * the thread's own.
 */
#ifndef SWIFTMEM_UNWIND_WALK_H
#define SWIFTMEM_UNWIND_WALK_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "lib/loss.h"
#include "stack_record.h"
#include "unwind/mapping.h"
#include "unwind/return_probe.h"
#include "unwind/step.h"
#include "unwind/table.h"

/* The rule at an address that the thread does not remember; remembers it. */
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

/*
 * Frames of one call of unwind_frames. A loop over all frames, though bounded, costs the
 * verifier 900 000 instructions: it forgets in one round what it knows of another.
 */
#define UNWIND_FRAMES 8

/*
 * Goes on by some frames, of which `from` are in the record. Returns
 * STACK_NO_END, or why the walk has ended.
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
		if (walk->pc == walk->trampoline)
			walk->pc = real_return(walk, walk->pc, RETURN_PLACE(walk->sp));
	}
	return STACK_NO_END;
}

/* Walks from a frame into the thread's record. `exact`: the frame is at `pc`, not behind a call there. */
static __always_inline u64 unwind_from(u64 pc, u64 sp, u64 fp, u64 lr, u32 exact)
{
	struct stack_state *state = STACK_STATE();
	u32 zero = 0;
	u64 *generation = bpf_map_lookup_elem(&unwind_generation, &zero);
	u32 end = STACK_NO_END;

	if (!state || !generation)
		return 0;
	/* read before the mappings that it belongs to */
	u64 now = *(volatile u64 *)generation;

	if (state->walk.generation != now) {
		for (u32 i = 0; i < UNWIND_KNOWN; i++) {
			state->known[i].at = 0;
			state->known[i].rule = UNWIND_UNMAPPED;
		}
		state->walk.size = 0;
		state->walk.generation = now;
	}
	state->walk.pc = pc;
	state->walk.sp = sp;
	state->walk.fp = fp;
	state->walk.exact = exact;
	if (exact)
		state->walk.lr = lr;
	trampoline_of(&state->walk);
	state->walk.hash = stack_mix(STACK_SEED, pc);
	state->record.frames[0] = pc;
	state->record.count = 1;
	for (u32 from = 0; from <= STACK_FRAMES && !end; from += UNWIND_FRAMES)
		end = unwind_frames(from);
	state->record.end = end;
	if (end >= STACK_CUT)
		lost(LOSS_STACK_ENDS + end - STACK_CUT);
	return state->walk.hash ? state->walk.hash : 1;
}

/*
 * Walks from a caller, whose stack and frame pointers are given, into the thread's
 * record. Returns the stack's hash, 0 for none.
 */
__noinline u64 stack_unwind(u64 caller, u64 sp, u64 fp)
{
	return unwind_from(caller, sp, fp, 0, 0);
}

/* Walks from where a thread stands, whose registers are given: arm64's link register too. */
__noinline u64 stack_unwind_at(u64 pc, u64 sp, u64 fp, u64 lr)
{
	return unwind_from(pc, sp, fp, lr, 1);
}

#endif
