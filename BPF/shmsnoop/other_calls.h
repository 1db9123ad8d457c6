/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Calls that are not System V's: POSIX shared memory, memfds, secretmem, mappings. */
#ifndef SWIFTMEM_SHMSNOOP_OTHER_CALLS_H
#define SWIFTMEM_SHMSNOOP_OTHER_CALLS_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "shmsnoop/call_numbers.h"
#include "shmsnoop/mappings.h"
#include "shmsnoop/record.h"
#include "shmsnoop/shared_file.h"

/* include/uapi/asm-generic/fcntl.h: what creat() opens with */
#define CREATE_FLAGS (01 | 0100 | 01000) /* O_WRONLY | O_CREAT | O_TRUNC */

/* include/uapi/linux/fcntl.h */
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034

/* A file gets another name in /dev/shm, comes there or goes away from there. */
static __always_inline void renamed(u64 from, u64 to, u64 flags, bool compat, s64 result, u64 begun_ns)
{
	const void *name = shm_name(from), *new_name = shm_name(to);
	u64 arguments[6] = { flags };

	if (name || new_name)
		report_renamed(compat, arguments, result, begun_ns, name ? name : (void *)from,
			       new_name ? new_name : (void *)to);
}

static __always_inline void other_call(u32 kind, u32 variant, bool compat, const u64 words[6], s64 result, u64 begun_ns)
{
	u32 first = variant == AT ? 1 : 0;
	u64 arguments[6] = {};
	const void *name;

	switch (kind) {
	case SHM_CALL_OPEN:
	case SHM_CALL_UNLINK:
		name = shm_name(first ? words[1] : words[0]);
		if (!name)
			return;
		if (variant == CREATE) {
			arguments[0] = CREATE_FLAGS;
			arguments[1] = words[1];
		} else if (kind == SHM_CALL_OPEN) {
			arguments[0] = first ? words[2] : words[1];
			arguments[1] = first ? words[3] : words[2];
		}
		report_named(kind, compat, arguments, result, begun_ns, name, NULL);
		return;
	case SHM_CALL_RENAME:
		renamed(variant == PLAIN ? words[0] : words[1], variant == PLAIN ? words[1] : words[3],
			variant == AT_FLAGS ? words[4] : 0, compat, result, begun_ns);
		return;
	case SHM_CALL_MEMFD:
		arguments[0] = words[1];
		report_named(kind, compat, arguments, result, begun_ns, (void *)words[0], NULL);
		return;
	case SHM_CALL_SECRET: report(kind, compat, words, result, begun_ns); return;
	case SHM_CALL_TRUNCATE:
		arguments[0] = words[0];
		arguments[1] = variant == HALVES	? words[1] | words[2] << 32
			       : variant == HALVES_EVEN ? words[2] | words[3] << 32
							: words[1];
		name = shared_file(words[0]);
		if (name)
			report_named(kind, compat, arguments, result, begun_ns, NULL, name);
		return;
	case SHM_CALL_FCNTL:
		if ((u32)words[1] != F_ADD_SEALS && (u32)words[1] != F_GET_SEALS)
			return;
		name = shared_file(words[0]);
		if (name)
			report_named(kind, compat, words, result, begun_ns, NULL, name);
		return;
	case SHM_CALL_MMAP: mapped(words, compat, variant, result, begun_ns); return;
	case SHM_CALL_MUNMAP: unmapped(words, compat, result, begun_ns); return;
	}
}

#endif
