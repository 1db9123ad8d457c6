/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Files that are opened, counted: in the kernel's function, or in the system calls that lead to it. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#if defined(__TARGET_ARCH_x86)
enum { OPEN = 2, OPENAT = 257 };
#else
enum { OPEN = -1, OPENAT = 56 }; /* asm-generic/unistd.h */
#endif
enum { OPENAT2 = 437 };

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} opens SEC(".maps");

static void count(void)
{
	__u32 zero = 0;
	__u64 *count = bpf_map_lookup_elem(&opens, &zero);

	if (count)
		*count += 1;
}

SEC("?fentry/do_filp_open")
int open_fentry(void *context)
{
	count();
	return 0;
}

SEC("?raw_tp/sys_enter")
int open_call(__u64 *arguments)
{
	long number = arguments[1];

	if (number == OPEN || number == OPENAT || number == OPENAT2)
		count();
	return 0;
}
