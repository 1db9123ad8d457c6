/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Records for user space, by the ring: a call of a mapping function, any call of a trace. */
#ifndef SWIFTMEM_MEMLEAK_EVENTS_H
#define SWIFTMEM_MEMLEAK_EVENTS_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "lib/loss.h"
#include "memleak/state.h"

static __always_inline struct memleak_event *new_event(u32 kind)
{
	struct memleak_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		lost(LOSS_RING_FULL);
		return NULL;
	}
	u64 id = bpf_get_current_pid_tgid();

	__builtin_memset(event, 0, sizeof(*event));
	event->kind = kind;
	event->pid = id >> 32;
	event->tid = (u32)id;
	event->time_ns = bpf_ktime_get_ns();
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	return event;
}

static __always_inline void send_call(u32 kind, struct thread *thread, u64 result, bool recorded)
{
	struct memleak_event *event = new_event(kind);

	if (!event)
		return;
	event->op = thread->op;
	event->enter_ns = thread->enter_ns;
	event->address = thread->address;
	event->length = thread->size;
	event->new_length = thread->new_length;
	event->map_flags = thread->map_flags;
	event->result = result;
	event->stack = thread->stack;
	event->recorded = recorded;
	bpf_ringbuf_submit(event, 0);
}

static __always_inline void send_free(u64 address, u64 size, bool recorded)
{
	struct memleak_event *event = new_event(MEMLEAK_TRACED);

	if (!event)
		return;
	event->op = MEMLEAK_FREE;
	event->address = address;
	event->length = size;
	event->recorded = recorded;
	bpf_ringbuf_submit(event, 0);
}

#endif
