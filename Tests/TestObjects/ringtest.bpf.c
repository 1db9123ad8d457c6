/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Fills a ring buffer as fast as one process makes getppid() calls, and bears
 * every kind of hook that the loader has to cope with.
 */
#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "lib/loss.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct ringtest_config {
	u32 pid;
	u32 syscall;
};

const volatile struct ringtest_config config SEC(".rodata.config") = {};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 << 10);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u64);
} numbers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 64);
	__type(key, u32);
	__type(value, u64);
} percpu_numbers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} calls SEC(".maps");

struct ringtest_event {
	u64 number;
	u64 time_ns;
};

SEC("raw_tp/sys_enter")
int flood(u64 *ctx)
{
	u32 zero = 0;

	if (ctx[1] != config.syscall || bpf_get_current_pid_tgid() >> 32 != config.pid)
		return 0;
	u64 *n = bpf_map_lookup_elem(&calls, &zero);

	if (!n)
		return 0;
	u64 number = (*n)++;
	struct ringtest_event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		lost(LOSS_RING_FULL);
		return 0;
	}
	e->number = number;
	e->time_ns = bpf_ktime_get_ns();
	bpf_ringbuf_submit(e, 0);
	return 0;
}

/* loads on many a kernel, and attaches on none: nothing of that name is there */
SEC("?fentry/swiftmem_no_such_function")
int BPF_PROG(no_function)
{
	return 0;
}

/* a verifier's no on every kernel: the pointer is not checked */
SEC("?tp_btf/sched_process_exit")
int BPF_PROG(no_verifier)
{
	u32 key = 0;
	u64 *n = bpf_map_lookup_elem(&numbers, &key);

	*n += 1;
	return 0;
}
