/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * shmsnoop: shared-memory system calls, by 64-bit and 32-bit callers, as they
 * return. The arguments are still in the caller's registers then, so that nothing
 * is kept between a call's begin and its end but the time, where that is wanted.
 *
 * The syscalls:* tracepoints do not fire for 32-bit callers; raw_syscalls:* do.
 */
#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/unpreempted.h"
#include "shmsnoop/calls.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* ---- every caller's calls ---- */

SEC("tp_btf/sys_enter")
int UNPREEMPTED(call_enter_btf, struct pt_regs *regs, long id)
{
	return begins(id);
}

SEC("tp_btf/sys_exit")
int UNPREEMPTED(call_exit_btf, struct pt_regs *regs, long result)
{
	return returned(regs, call_number(regs), result);
}

/*
 * The same by the tracepoints' records. Since 7.0 a task may be preempted in a
 * tp_btf program, and what other tasks do on that CPU meanwhile is skipped; in a
 * program on the record it may not. Needs bpf_task_pt_regs(), 5.15.
 */
struct enter_record {
	u64 common;
	s64 id;
	u64 arguments[6];
};

struct exit_record {
	u64 common;
	s64 id;
	s64 result;
};

SEC("tracepoint/raw_syscalls/sys_enter")
int call_enter_tp(struct enter_record *record)
{
	return begins(record->id);
}

SEC("tracepoint/raw_syscalls/sys_exit")
int call_exit_tp(struct exit_record *record)
{
	struct pt_regs *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());

	return returned(regs, record->id, record->result);
}

/* ---- System V's calls by 64-bit callers ---- */

/*
 * A record ends with its call's last argument: reading beyond is refused at the attach. Other than in
 * raw_syscalls' records the number is an int, and the kernel leaves what follows it as it was.
 */
static __always_inline int recorded_begin(struct enter_record *record, int arguments)
{
	if (!filtered_in())
		return 0;
	u32 tid = bpf_get_current_pid_tgid();
	struct begun b = { .time_ns = bpf_ktime_get_ns(), .id = (s32)record->id };

	b.words[0] = record->arguments[0];
	if (arguments == 3) {
		b.words[1] = record->arguments[1];
		b.words[2] = record->arguments[2];
	}
	if (bpf_map_update_elem(&calls, &tid, &b, BPF_ANY))
		lost(LOSS_TASK_STATE);
	return 0;
}

static __always_inline int recorded_return(struct exit_record *record, u32 kind)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct begun *b = bpf_map_lookup_elem(&calls, &tid);

	if (!filtered_in())
		return 0;
	if (!b || b->id != (s32)record->id) {
		lost(LOSS_TASK_STATE); /* its arguments are unknown */
		return 0;
	}
	u64 arguments[6] = { b->words[0], b->words[1], b->words[2] };
	u64 begun_ns = b->time_ns;

	bpf_map_delete_elem(&calls, &tid);
	report(kind, false, arguments, record->result, begun_ns);
	return 0;
}

#define RECORDED(call, kind, arguments) \
	SEC("tracepoint/syscalls/sys_enter_" #call) \
	int call##_enter_tp(struct enter_record *record) \
	{ \
		return recorded_begin(record, arguments); \
	} \
	SEC("tracepoint/syscalls/sys_exit_" #call) \
	int call##_exit_tp(struct exit_record *record) \
	{ \
		return recorded_return(record, kind); \
	}

RECORDED(shmget, SHM_CALL_GET, 3)
RECORDED(shmat, SHM_CALL_AT, 3)
RECORDED(shmdt, SHM_CALL_DT, 1)
RECORDED(shmctl, SHM_CALL_CTL, 3)
