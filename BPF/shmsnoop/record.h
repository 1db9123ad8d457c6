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

/* ... with a name from user space, or else from the kernel. */
static __always_inline void report_named(u32 kind, bool compat, const u64 arguments[6], s64 result, u64 begun_ns,
					 const void *user, const void *kernel)
{
	struct shm_named_event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	long length;

	if (!e) {
		lost(LOSS_RING_FULL);
		return;
	}
	fill(&e->event, kind, compat, arguments, result, begun_ns);
	e->event.flags |= SHM_CALL_NAMED;
	length = user ? bpf_probe_read_user_str(e->name, sizeof(e->name), user)
		      : bpf_probe_read_kernel_str(e->name, sizeof(e->name), kernel);
	if (length < 0) {
		e->name[0] = 0;
		/* a name that the call itself could not read is no loss */
		if (result != -EFAULT)
			lost(LOSS_UNREADABLE);
	}
	bpf_ringbuf_submit(e, 0);
}

#endif
