/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Who calls exec: an event each, through a ring buffer. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The kernel's structs with the fields that are read, no more: where this kernel has them, libbpf finds out. */
struct task_struct {
	int tgid;
} __attribute__((preserve_access_index));

struct linux_binprm {
	const char *filename;
} __attribute__((preserve_access_index));

/* struct ExecEvent of ExecEvents/main.swift */
struct exec_event {
	__u32 pid;
	char file[60];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 << 10);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} lost SEC(".maps");

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *program)
{
	struct exec_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		/* The kernel never waits for a reader: what doesn't fit is counted. */
		__u32 zero = 0;
		__u64 *count = bpf_map_lookup_elem(&lost, &zero);
		if (count)
			*count += 1;
		return 0;
	}
	event->pid = task->tgid;
	bpf_probe_read_kernel_str(event->file, sizeof(event->file), program->filename);
	bpf_ringbuf_submit(event, 0);
	return 0;
}
