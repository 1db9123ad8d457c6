/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a task is in the middle of, from one event of the page cache to the next: in task
 * storage, or by thread before Linux 5.11 has that for programs that trace.
 */
#ifndef SWIFTMEM_PAGECACHE_REQUEST_H
#define SWIFTMEM_PAGECACHE_REQUEST_H

#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/loss.h"
#include "lib/unpreempted.h"

/* Pages that a task brought into one mapping and that no read or write has claimed yet. */
struct run {
	u64 mapping;
	u64 first;
	u64 end;
	u64 pages;
	u64 call; /* the system call that brought them, as call_identity() has it */
};

/* What a task is in the middle of. */
struct request {
	/* the read that the last batch belonged to (tracepoints) */
	u64 mapping;
	s64 start; /* where its call began, in bytes; -1: not known */
	u64 calls; /* read system calls done before it */
	u64 index, last; /* the batch's range */
	u64 first; /* of that range, with what went by unseen before it */
	u64 next; /* of its pages the first that is not counted yet */

	struct run file;
	struct run device; /* of a mapping that is no regular file's */
	struct run came; /* the last pages that came, claimed or not (readahead) */

	/* a fault that asked for a page which has not been mapped yet */
	u64 fault_mapping;
	u64 fault_index;
	u32 fault_open;

	/* a function that was entered and has not returned yet (kprobes) */
	u32 read_open;
	u64 read_mapping;
	u64 read_from;
	u64 read_count;
	u64 read_before; /* bytes that an earlier part of the call had read */
	u64 vmf;
	u64 adding; /* the folio that is being inserted */
	u32 adding_gfp;
	s32 unnamed; /* pages mapped by a fault whose file is not known yet */
	u32 mapped; /* pages that the last fault mapped */
	u32 mapped_by_fault; /* ... at fault_index of fault_mapping */
	u64 fault_address;
};

/* Linux 5.11 */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct request);
} requests SEC(".maps");

/* before that */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, struct request);
} requests_by_thread SEC(".maps");

/* A constant to the verifier: the branch not taken, with its helper and map, is gone. */
#define HAS_TASK_STORAGE bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_storage_get)

/* The current task's request, NULL where it has none. */
static __always_inline struct request *known_request(void)
{
	if (HAS_TASK_STORAGE)
		return bpf_task_storage_get(&requests, bpf_get_current_task_btf(), NULL, 0);
	u32 thread = (u32)bpf_get_current_pid_tgid();

	return bpf_map_lookup_elem(&requests_by_thread, &thread);
}

/* The current task's request, made where it has none. */
static __always_inline struct request *current_request(void)
{
	struct request *r;

	if (HAS_TASK_STORAGE) {
		r = bpf_task_storage_get(&requests, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	} else {
		u32 thread = (u32)bpf_get_current_pid_tgid();

		r = bpf_map_lookup_elem(&requests_by_thread, &thread);
		if (!r) {
			struct request none = {};

			bpf_map_update_elem(&requests_by_thread, &thread, &none, BPF_NOEXIST);
			r = bpf_map_lookup_elem(&requests_by_thread, &thread);
		}
	}
	if (!r)
		lost(LOSS_TASK_STATE);
	return r;
}

/* An entry by thread goes with its thread. */
SEC("tp_btf/sched_process_exit")
int UNPREEMPTED(task_exit_btf, struct task_struct *task)
{
	u32 thread = (u32)bpf_get_current_pid_tgid();

	bpf_map_delete_elem(&requests_by_thread, &thread);
	return 0;
}

#endif
