/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * --stack: the stacks that a stall begins with, the kernel's and the task's own. They are a part of the row's key, so
 * that what their stalls come to is the row's sum. The programs of memstallstacks.bpf.c alone have this: a walk
 * of user stacks is more than all else that they do.
 */
#ifndef SWIFTMEM_MEMSTALL_STACKS_H
#define SWIFTMEM_MEMSTALL_STACKS_H

#include "memstall/state.h"

#ifndef MEMSTALL_STACKS

static __always_inline void keep_stacks(void *ctx, struct memstall_piece *p) {}

#else

#include "unwind/state.h"

/*
 * A walk by the task's id, there as long as it takes: programs may be preempted in it, and those on sched_switch may
 * not allocate.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MEMSTALL_WALKS);
	__type(key, u32);
	__type(value, struct stack_state);
} walks SEC(".maps");

static __always_inline struct stack_state *walk_state(void)
{
	u32 tid = bpf_get_current_pid_tgid();

	return bpf_map_lookup_elem(&walks, &tid);
}

#define STACK_STATE() walk_state()

#include "lib/stack.h"
#include "lib/unpreempted.h"
#include "unwind/process.h"

/* How many stacks were put into the table. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} kept_stacks SEC(".maps");

static const struct stack_state no_walk;

/* The hash of the first frames in the record; a kernel's stack and a user's never have the same. */
__noinline u64 stall_frames_hash(u32 count, u64 seed)
{
	struct stack_state *state = STACK_STATE();

	if (!state)
		return 0;
	for (u32 i = 0; i < STACK_FRAMES && i < count; i++)
		seed = stack_mix(seed, state->record.frames[i]);
	state->record.count = count;
	return seed ? seed : 1;
}

/* Puts the record into the table; returns the hash, 0 where there is none. */
static __noinline u64 kept(u64 hash)
{
	struct stack_state *state = STACK_STATE();
	bool is_new = false;
	u32 zero = 0;

	if (!state || !hash || !stack_keep(hash, &state->record, &is_new)) {
		lost(LOSS_NO_STACK);
		return 0;
	}
	u64 *count = is_new ? bpf_map_lookup_elem(&kept_stacks, &zero) : NULL;

	if (count)
		*count += 1;
	return hash;
}

/* What the kernel's own walk gives: of a user stack by frame pointers, which does not say where it ended. */
static __always_inline u64 walked_by_kernel(void *ctx, struct stack_state *state, u64 flags, u64 seed)
{
	long bytes = bpf_get_stack(ctx, state->record.frames, sizeof(state->record.frames), flags);

	if (bytes < 8)
		return 0;
	state->record.end = bytes < (long)sizeof(state->record.frames) ? STACK_NO_END : STACK_CUT;
	return stall_frames_hash(bytes / 8, seed);
}

/* By the tables of call-frame information, where the process's are there. */
static __always_inline u64 walked_by_tables(struct stack_state *state)
{
	struct pt_regs *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	u64 ip = PT_REGS_IP(regs), sp = PT_REGS_SP(regs), fp = PT_REGS_FP(regs), lr = 0, hash;

#if defined(__TARGET_ARCH_arm64)
	lr = PT_REGS_RET(regs);
#endif
	if (!IS_USER_TEXT(ip))
		return 0;
	hash = stack_unwind_at(ip, sp, fp, lr);
	if (unwind_wants(state))
		send_change(PROCESS_UNMAPPED, bpf_get_current_pid_tgid() >> 32, 0, 0);
	return hash;
}

static __always_inline void keep_stacks(void *ctx, struct memstall_piece *p)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u32 tid = bpf_get_current_pid_tgid();

	bpf_map_update_elem(&walks, &tid, &no_walk, BPF_NOEXIST);
	struct stack_state *state = walk_state();

	if (!state) {
		lost(LOSS_NO_STACK);
		return;
	}
	p->kernel_stack = kept(walked_by_kernel(ctx, state, 0, ~STACK_SEED));
	if (!(BPF_CORE_READ(task, flags) & PF_KTHREAD)) {
		u64 hash = 0;

		if (stack_config.mode != STACK_FP && !is_narrow(BPF_CORE_READ(task, mm)))
			hash = walked_by_tables(state);
		/* no more is known yet than where the task is */
		if (!hash || (state->record.end == STACK_NO_MAPPING && state->record.count <= 1))
			hash = walked_by_kernel(ctx, state, BPF_F_USER_STACK, STACK_SEED);
		p->user_stack = kept(hash);
	}
	bpf_map_delete_elem(&walks, &tid);
}

/* What user space knows of a process's mappings is true up to its exec and its end. */
SEC("tp_btf/sched_process_exec")
int UNPREEMPTED(stack_exec_btf)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (!is_listed(pid))
		return 0;
	unwind_execed(pid, NULL);
	send_change(PROCESS_EXECED, pid, 0, 0);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int UNPREEMPTED(stack_exit_btf)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (is_listed(pid) && is_last_thread((void *)bpf_get_current_task()))
		send_change(PROCESS_EXITED, pid, 0, 0);
	return 0;
}

#endif
#endif
