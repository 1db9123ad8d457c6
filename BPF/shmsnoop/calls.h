/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A call from its begin to its return: only the time is kept between, and only where it is wanted. */
#ifndef SWIFTMEM_SHMSNOOP_CALLS_H
#define SWIFTMEM_SHMSNOOP_CALLS_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "lib/call_registers.h"
#include "lib/filter.h"
#include "lib/loss.h"
#include "shmsnoop/call_numbers.h"
#include "shmsnoop/other_calls.h"
#include "shmsnoop/record.h"
#include "shmsnoop/system_v.h"

/* A call that a thread is in. A thread is in one at most; one that never returns is displaced in time. */
struct begun {
	u64 time_ns;
	u64 words[6]; /* where the return does not see them */
	s64 id;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, struct begun);
} calls SEC(".maps");

/* The call of a number, by the entry it came through; 0: none of ours. */
static __always_inline u32 our_call(long id, bool *compat)
{
	u32 native = native_call(id, config.all), other = compat_call(id, config.all);

	if (!native && !other)
		return 0;
	*compat = is_compat();
	return *compat ? other : native;
}

static __always_inline int begins(long id)
{
	bool compat;

	if (!our_call(id, &compat) || !filtered_in())
		return 0;
	u32 tid = bpf_get_current_pid_tgid();
	struct begun b = { .time_ns = bpf_ktime_get_ns(), .id = id };

	if (bpf_map_update_elem(&calls, &tid, &b, BPF_ANY))
		lost(LOSS_TASK_STATE);
	return 0;
}

/* When this thread's call began: 0 where that was not seen. */
static __always_inline u64 begun_at(long id)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct begun *b = bpf_map_lookup_elem(&calls, &tid);

	if (!b)
		return 0;
	u64 time = b->id == id ? b->time_ns : 0;

	bpf_map_delete_elem(&calls, &tid);
	return time;
}

static __always_inline int returned(struct pt_regs *regs, long id, s64 result)
{
	bool compat;
	u32 call = our_call(id, &compat);

	if (!call || !filtered_in())
		return 0;
	u64 words[6] = {}, arguments[6] = {};
	u64 begun_ns = config.latency ? begun_at(id) : 0;

	call_words(regs, compat, words);
	if (CALL_KIND(call) > SHM_CALL_CTL) {
		other_call(CALL_KIND(call), CALL_VARIANT(call), compat, words, result, begun_ns);
		return 0;
	}
	u32 kind = system_v(call, words, arguments, &result);

	if (kind)
		report(kind, compat, arguments, result, begun_ns);
	return 0;
}

#endif
