/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The life of traced processes and of their address spaces: fork, exec, exit. */
#ifndef SWIFTMEM_GROWTH_PROCESSES_H
#define SWIFTMEM_GROWTH_PROCESSES_H

#include <bpf/bpf_tracing.h>
#include "growth/faults.h"
#include "lib/twice.h"
#include "lib/unpreempted.h"

/* Traces a process because the current task is in the cgroup that was asked for. */
static __always_inline bool choose_by_cgroup(u32 pid)
{
	return config.by_cgroup && filtered_in() && list_process(pid);
}

TWICE("raw_tp/sched_process_fork", process_fork, rawtp)
{
	struct task_struct *parent = (void *)ctx[0], *child = (void *)ctx[1];
	u32 from = BPF_CORE_READ(parent, tgid), pid = BPF_CORE_READ(child, tgid);
	struct mm_struct *mm = BPF_CORE_READ(child, mm);

	if (pid != (u32)BPF_CORE_READ(child, pid) || !mm)
		return 0;
	if (!(is_listed(from) && config.follow ? list_process(pid) : choose_by_cgroup(pid)))
		return 0;
	/* vfork: the parent's own, until exec */
	if (mm != BPF_CORE_READ(parent, mm))
		space_begin(mm, pid, true, child->comm);
	unwind_forked(from, pid);
	send_change(PROCESS_FORKED, pid, from, 0);
	return 0;
}

TWICE("raw_tp/sched_process_exec", process_exec, rawtp)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct thread *thread = thread_of_current(false);
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	if (!mm || (!is_listed(pid) && !choose_by_cgroup(pid)))
		return 0;
	unwind_execed(pid, thread ? &thread->captured : NULL);
	space_begin(mm, pid, true, task->comm);
	send_change(PROCESS_EXECED, pid, 0, is_narrow(mm));
	return 0;
}

TWICE("raw_tp/sched_process_exit", process_exit, rawtp)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (!is_listed(pid))
		return 0;
	struct thread *thread = thread_of_current(false);

	if (thread)
		count_majors(thread, task);
	if (!is_last_thread(task))
		return 0;
	send_change(PROCESS_EXITED, pid, 0, 0);
	/* its number may be another's soon */
	bpf_map_delete_elem(&processes, &pid);
	return 0;
}

/* arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h */
#if defined(__TARGET_ARCH_x86)
#define CALL_NUMBER(regs) ((regs)->orig_ax)
#define CALL_MREMAP 25
#define CALL_FIRST(regs) ((regs)->di)
#else
#define CALL_NUMBER(regs) ((u64)(regs)->syscallno)
#define CALL_MREMAP 216
#define CALL_FIRST(regs) ((u64)(regs)->orig_x0)
#endif

/* 64 GiB of 4 KiB pages. */
#define MOST_PARKED 262144

/*
 * The kernel has found room for a mapping: for one that mremap() moves, whose pages are at another address
 * from then on. User space moves what is noted of them.
 */
SEC("raw_tp/vm_unmapped_area")
int UNPREEMPTED(space_move_rawtp)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	u64 to = ctx[0];

	if (!mm || to >= -(u64)MAX_ERRNO)
		return 0;
	struct growth_space *space = space_of(mm);
	struct vm_unmapped_area_info *info = (void *)ctx[1];
	struct pt_regs *regs = (void *)bpf_task_pt_regs(task);

	if (!space || space->narrow || CALL_NUMBER(regs) != CALL_MREMAP)
		return 0;
	u64 from = CALL_FIRST(regs), length = PT_REGS_PARM2(regs);
	u64 shift = PAGE_SHIFT, first = (from >> shift) / GROWTH_CHUNK;
	u64 last = ((from + length - 1) >> shift) / GROWTH_CHUNK;
	struct parking parking = {
		.first = first, .pid = space->pid, .from = space->serial, .to = bpf_get_prandom_u32()
	};

	/* at once: a page touched at the old address from now on is another page */
	if (last - first < MOST_PARKED)
		bpf_loop(last - first + 1, park_chunk, &parking, 0);
	struct growth_move *move = bpf_ringbuf_reserve(&events, sizeof(*move), 0);

	if (!move) {
		lost(LOSS_RING_FULL);
		return 0;
	}
	move->kind = GROWTH_MOVED;
	move->pid = space->pid;
	move->serial = space->serial;
	move->parked = parking.to;
	move->from = from;
	move->length = length;
	move->new_length = PT_REGS_PARM3(regs);
	move->to = to;
	move->found = BPF_CORE_READ(info, length);
	bpf_ringbuf_submit(move, 0);
	return 0;
}

/* exit_mmap() has unmapped all: from now on the mm_struct's address may be that of another address space. */
SEC("raw_tp/exit_mmap")
int UNPREEMPTED(space_end_rawtp)
{
	struct mm_struct *mm = (void *)ctx[0];
	struct growth_space *space = space_of(mm);
	u64 key = address_of(mm);

	if (!space)
		return 0;
	struct growth_space_key at = { .pid = space->pid, .serial = space->serial };

	space->gone = 1;
	for (int kind = 0; kind < GROWTH_KINDS; kind++)
		space->now[kind] = 0;
	if (bpf_map_update_elem(&ended, &at, space, BPF_ANY))
		lost(LOSS_MAP_FULL);
	bpf_map_delete_elem(&spaces, &key);
	return 0;
}

#endif
