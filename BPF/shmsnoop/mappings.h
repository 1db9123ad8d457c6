/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* mmap() and munmap() of shared memory. Only mappings made under the trace are known when they are unmapped. */
#ifndef SWIFTMEM_SHMSNOOP_MAPPINGS_H
#define SWIFTMEM_SHMSNOOP_MAPPINGS_H

#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "lib/page.h"
#include "shmsnoop/call_numbers.h"
#include "shmsnoop/record.h"
#include "shmsnoop/shared_file.h"

/* include/uapi/linux/mman.h, include/uapi/asm-generic/mman-common.h */
#define MAP_TYPE 0xf
#define MAP_SHARED 1
#define MAP_SHARED_VALIDATE 3
#define MAP_ANONYMOUS 0x20
/* arch/arm64/kernel/sys32.c: aarch32_mmap2(); the 32-bit i386 has pages of this size alone */
#define MMAP2_SHIFT 12

/* A shared mapping: a munmap() is of one of them if its address is. */
struct mapping {
	u64 process_start;
	u64 address;
	u32 pid;
	u32 padding;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct mapping);
	__type(value, u64);
} mappings SEC(".maps");

static __always_inline struct mapping mapping_at(u64 address)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mapping m = {
		.process_start = BPF_CORE_READ(task, group_leader, start_boottime),
		.address = address,
	};

	m.pid = bpf_get_current_pid_tgid() >> 32;
	return m;
}

static const char dev_zero[] = "/dev/zero";

static __always_inline void mapped(const u64 words[6], bool compat, u32 variant, s64 result, u64 begun_ns)
{
	u32 flags = words[3], type = flags & MAP_TYPE;
	u64 arguments[6] = { words[0], words[1], words[2], words[3], words[4], words[5] };

	if (type != MAP_SHARED && type != MAP_SHARED_VALIDATE)
		return;
	if (variant == PAGES)
		arguments[5] <<= MMAP2_SHIFT;
	const void *name = NULL;

	if (!(flags & MAP_ANONYMOUS)) {
		name = shared_file(words[4]);
		if (!name && is_dev_zero(words[4]))
			name = dev_zero;
		if (!name)
			return;
	}
	if (result >= 0 || result < -MAX_ERRNO) {
		struct mapping m = mapping_at(result);
		u64 length = words[1];

		bpf_map_update_elem(&mappings, &m, &length, BPF_ANY);
	}
	if (name)
		report_named(SHM_CALL_MMAP, compat, arguments, result, begun_ns, NULL, name);
	else
		report(SHM_CALL_MMAP, compat, arguments, result, begun_ns);
}

static __always_inline void unmapped(const u64 words[6], bool compat, s64 result, u64 begun_ns)
{
	struct mapping m = mapping_at(words[0]);
	u64 *known = bpf_map_lookup_elem(&mappings, &m);

	if (!known)
		return;
	u64 rest = *known, length = (words[1] + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);

	if (result == 0) {
		bpf_map_delete_elem(&mappings, &m);
		if (length < rest) {
			rest -= length;
			m.address += length;
			bpf_map_update_elem(&mappings, &m, &rest, BPF_ANY);
		}
	}
	report(SHM_CALL_MUNMAP, compat, words, result, begun_ns);
}

#endif
