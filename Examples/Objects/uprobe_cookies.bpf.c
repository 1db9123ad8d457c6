/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* One program at many places of a library: which one it is at, the cookie tells (Linux 5.15). */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u64);
	__type(value, __u64);
} calls SEC(".maps");

SEC("uprobe")
int count_call(void *context)
{
	__u64 cookie = bpf_get_attach_cookie(context), none = 0;

	bpf_map_update_elem(&calls, &cookie, &none, BPF_NOEXIST);
	__u64 *count = bpf_map_lookup_elem(&calls, &cookie);
	if (count)
		__sync_fetch_and_add(count, 1);
	return 0;
}
