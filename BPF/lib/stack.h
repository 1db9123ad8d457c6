/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * User stacks: captured at a function's entry, kept once each in a table keyed
 * by a 64-bit hash of all frames, so that stacks neither overwrite each other
 * nor share an entry.
 *
 * At the entry the function has no frame yet: its caller's address is at the
 * stack pointer (x86) or in the link register (arm64), and the frame pointer is
 * still the caller's. From there on the chain of frame pointers is walked as long
 * as it goes up the stack; a caller built without frame pointers ends it. That is
 * `--stack fp`; else unwind/walk.h walks, by tables.
 *
 * Before this header the tool defines STACK_STATE(): where this thread's state is.
 */
#ifndef SWIFTMEM_STACK_H
#define SWIFTMEM_STACK_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "loss.h"
#include "stack_record.h"
#include "unwind/walk.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, struct stack_record);
} stacks SEC(".maps");

struct frame_record {
	u64 caller_frame;
	u64 return_address;
};

/*
 * The address that a function just entered will return to; 0 when unreadable. Another tracer's
 * return probe on an earlier instruction of the function has replaced it already.
 */
static __always_inline u64 return_address(struct pt_regs *ctx, struct stack_state *state)
{
#if defined(__TARGET_ARCH_x86)
	u64 address = 0;

	bpf_probe_read_user(&address, sizeof(address), (void *)PT_REGS_SP(ctx));
#else
	u64 address = PT_REGS_RET(ctx);
#endif
	return real_return(&state->walk, address, PT_REGS_SP(ctx));
}

/*
 * Walks the stack of a function just entered into the record of `state`, which must be the
 * thread's own: programs here may be preempted. Returns its hash, 0 for none.
 */
static __always_inline u64 stack_walk(struct pt_regs *ctx, struct stack_state *state, u64 caller)
{
	struct stack_record *record = &state->record;
	u64 frame = PT_REGS_FP(ctx), low = PT_REGS_SP(ctx);
	u64 hash = stack_mix(STACK_SEED, caller);
	u32 count = 1;

	if (!IS_USER_TEXT(caller))
		return 0;
	record->end = STACK_NO_END;
	record->frames[0] = caller;
	for (int i = 1; i < STACK_FRAMES + 1; i++) {
		struct frame_record next;

		if (frame < low || frame - low > FRAME_LIMIT || (frame & 7))
			break;
		if (bpf_probe_read_user(&next, sizeof(next), (void *)frame))
			break;
		u64 address = real_return(&state->walk, USER_ADDRESS(next.return_address),
					  RETURN_PLACE(frame + sizeof(next)));

		if (!IS_USER_TEXT(address))
			break;
		if (i == STACK_FRAMES) {
			record->end = STACK_CUT;
			break;
		}
		record->frames[i] = address;
		hash = stack_mix(hash, address);
		count = i + 1;
		low = frame + sizeof(next);
		frame = next.caller_frame;
	}
	record->count = count;
	return hash ? hash : 1;
}

/* The caller alone, or what bpf_get_stack gives: what the walks here are measured against. */
static __always_inline u64 stack_measure(struct pt_regs *ctx, struct stack_record *record, u64 caller)
{
	u64 hash = stack_mix(STACK_SEED, caller);
	long size = 8;

	record->end = STACK_NO_END;
	record->frames[0] = caller;
	if (stack_config.mode == STACK_KERNEL)
		size = bpf_get_stack(ctx, record->frames, sizeof(record->frames), BPF_F_USER_STACK);
	if (size < 8)
		return 0;
	record->count = (u32)size / 8;
	/* its first frame is the function itself */
	for (u32 i = 1; i < STACK_FRAMES && i < record->count; i++)
		hash = stack_mix(hash, record->frames[i]);
	return hash ? hash : 1;
}

/*
 * Captures the stack of a function just entered into the record of `state`, which is
 * what STACK_STATE() gives. Returns its hash, 0 for none.
 */
static __always_inline u64 stack_capture(struct pt_regs *ctx, struct stack_state *state, u64 caller)
{
	if (!IS_USER_TEXT(caller))
		return 0;
	if (stack_config.mode == STACK_FP)
		return stack_walk(ctx, state, caller);
	if (stack_config.mode >= STACK_KERNEL)
		return stack_measure(ctx, &state->record, caller);
#if defined(__TARGET_ARCH_x86)
	return stack_unwind(caller, PT_REGS_SP(ctx) + 8, PT_REGS_FP(ctx));
#else
	return stack_unwind(caller, PT_REGS_SP(ctx), PT_REGS_FP(ctx));
#endif
}

/* Keeps a stack in the table; false where there is no room. */
static __always_inline bool stack_keep(u64 hash, struct stack_record *record, bool *is_new)
{
	if (bpf_map_lookup_elem(&stacks, &hash))
		return true;
	/* another thread may be first with the same stack: as good */
	long error = bpf_map_update_elem(&stacks, &hash, record, BPF_NOEXIST);

	*is_new = error == 0;
	return error == 0 || error == -EEXIST;
}

#endif
