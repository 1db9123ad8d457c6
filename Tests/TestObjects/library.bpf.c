/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A program and a map of every kind that the library's own tests ask for. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} shared SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_ARRAY);
			__uint(map_flags, BPF_F_INNER_MAP);
			__uint(max_entries, 1);
			__type(key, __u32);
			__type(value, __u64);
		});
} tables SEC(".maps");

/* The packet's length; its first byte becomes the sum of the first two. */
SEC("xdp")
int packet(struct xdp_md *context)
{
	unsigned char *data = (unsigned char *)(long)context->data;
	unsigned char *end = (unsigned char *)(long)context->data_end;

	if (data + 2 > end)
		return 0;
	data[0] += data[1];
	return end - data;
}

/* Counts its runs under the key 0, and says what table 1 has at place 2 under the key 1. */
SEC("raw_tp/sys_enter")
int look(void *context)
{
	__u32 zero = 0, one = 1, two = 2;
	__u64 start = 0;

	bpf_map_update_elem(&shared, &zero, &start, BPF_NOEXIST);
	__u64 *runs = bpf_map_lookup_elem(&shared, &zero);
	/* relaxed: any other order makes clang ask for the old value, which kernels below 5.12 refuse */
	if (runs)
		__atomic_fetch_add(runs, 1, __ATOMIC_RELAXED);
	void *table = bpf_map_lookup_elem(&tables, &one);
	if (!table)
		return 0;
	__u64 *value = bpf_map_lookup_elem(table, &two);
	if (value)
		bpf_map_update_elem(&shared, &one, value, BPF_ANY);
	return 0;
}

struct seq_file;
struct task_struct;

struct bpf_iter_meta {
	struct seq_file *seq;
} __attribute__((preserve_access_index));

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} __attribute__((preserve_access_index));

/* A letter for each task. */
SEC("iter/task")
int tasks(struct bpf_iter__task *context)
{
	if (context->task)
		bpf_seq_write(context->meta->seq, "t", 1);
	return 0;
}

/* How often each place was passed, by its cookie. */
SEC("?uprobe")
int places(void *context)
{
	__u32 cookie = bpf_get_attach_cookie(context);
	__u64 first = 1;

	if (bpf_map_update_elem(&shared, &cookie, &first, BPF_NOEXIST)) {
		__u64 *count = bpf_map_lookup_elem(&shared, &cookie);
		if (count)
			__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
	}
	return 0;
}
