/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Records for user space, by the ring: a call that returned, without a name or with one. */
#ifndef SWIFTMEM_SHMSNOOP_RECORD_H
#define SWIFTMEM_SHMSNOOP_RECORD_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "lib/loss.h"
#include "shmsnoop.h"

const volatile struct shmsnoop_config config SEC(".rodata.config") = {};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 32 << 20);
} events SEC(".maps");

static __always_inline void fill(struct shm_event *e, u32 kind, bool compat, const u64 arguments[6], s64 result,
				 u64 begun_ns)
{
	u64 id = bpf_get_current_pid_tgid();

	e->time_ns = bpf_ktime_get_ns();
	e->duration_ns = begun_ns ? e->time_ns - begun_ns : SHM_NO_DURATION;
	e->result = result;
	__builtin_memcpy(e->arguments, arguments, sizeof(e->arguments));
	e->pid = id >> 32;
	e->tid = id;
	e->call = kind;
	e->flags = compat ? SHM_CALL_COMPAT : 0;
	bpf_get_current_comm(e->comm, sizeof(e->comm));
}

static __always_inline void report(u32 kind, bool compat, const u64 arguments[6], s64 result, u64 begun_ns)
{
	struct shm_event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		lost(LOSS_RING_FULL);
		return;
	}
	fill(e, kind, compat, arguments, result, begun_ns);
	bpf_ringbuf_submit(e, 0);
}

/* A name from user space, or else from the kernel. */
static __always_inline void copy_name(char to[SHM_NAME], const void *user, const void *kernel, s64 result)
{
	long length =
		user ? bpf_probe_read_user_str(to, SHM_NAME, user) : bpf_probe_read_kernel_str(to, SHM_NAME, kernel);

	if (length >= 0)
		return;
	to[0] = 0;
	/* a name that the call itself could not read is no loss */
	if (result != -EFAULT)
		lost(LOSS_UNREADABLE);
}

/* ... with a name. */
static __always_inline void report_named(u32 kind, bool compat, const u64 arguments[6], s64 result, u64 begun_ns,
					 const void *user, const void *kernel)
{
	struct shm_named_event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		lost(LOSS_RING_FULL);
		return;
	}
	fill(&e->event, kind, compat, arguments, result, begun_ns);
	e->event.flags |= SHM_CALL_NAMED;
	copy_name(e->name, user, kernel, result);
	bpf_ringbuf_submit(e, 0);
}

/* ... with two of the caller's. */
static __always_inline void report_renamed(bool compat, const u64 arguments[6], s64 result, u64 begun_ns,
					   const void *name, const void *new_name)
{
	struct shm_renamed_event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		lost(LOSS_RING_FULL);
		return;
	}
	fill(&e->named.event, SHM_CALL_RENAME, compat, arguments, result, begun_ns);
	e->named.event.flags |= SHM_CALL_NAMED | SHM_CALL_RENAMED;
	copy_name(e->named.name, name, NULL, result);
	copy_name(e->new_name, new_name, NULL, result);
	bpf_ringbuf_submit(e, 0);
}

#endif
